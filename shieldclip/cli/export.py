"""``shieldclip export``."""

from __future__ import annotations

from pathlib import Path

import click

from shieldclip.cli.names import complete_format, complete_model


@click.command()
@click.argument("checkpoint", metavar="DIR", shell_complete=complete_model)
@click.option(
    "--to",
    "format_name",
    required=True,
    metavar="FORMAT",
    shell_complete=complete_format,
    help="transformers, open-clip or onnx.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder to write.")
def export(checkpoint: str, format_name: str, out: Path) -> None:
    """Write a checkpoint in a format that other libraries load.

    DIR is a model folder, a Hub id or shieldclip:NAME. The result is read back, and its features
    of random pictures and prompts are compared with those of the original.
    """
    from shieldclip.export import export as run

    done = run(checkpoint, format_name, out)
    click.echo(
        f"Wrote {done.folder}; features differ by at most {done.difference:.1e} "
        f"({done.tolerance:.0e} is allowed)."
    )
