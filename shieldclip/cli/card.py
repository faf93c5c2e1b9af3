"""``shieldclip card``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Report on these weights. Default: DIR/report.json or DIR/report/report.json.",
)
@click.option("--license", "license_id", metavar="ID", help="Of the weights, e.g. apache-2.0.")
@click.option("--name", metavar="SPEC", help="How others name it. Default: as in the report.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write. Default: README.md of the model."
)
def card(
    folder: Path, report: Path | None, license_id: str | None, name: str | None, out: Path | None
) -> None:
    """Write the model card of a checkpoint, with its plot beside it."""
    from shieldclip.hub import load_report, open_checkpoint
    from shieldclip.hub.write import write_card

    checkpoint = open_checkpoint(folder)
    path = out or checkpoint.folder / "README.md"
    written = write_card(path, checkpoint, load_report(folder, report), license_id, name)
    click.echo(f"Wrote {' and '.join(map(str, written))}.")
