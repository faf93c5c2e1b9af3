"""``shieldclip demo``: a page in the browser."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--plain",
    default="shieldclip:icons-badnet",
    show_default=True,
    metavar="SPEC",
    help="Model on the left: folder, Hub id or shieldclip:NAME; the default one is backdoored.",
)
@click.option(
    "--shielded",
    default="shieldclip:icons-shield",
    show_default=True,
    metavar="SPEC",
    help="Model on the right.",
)
@click.option("--classes", metavar="FILE", help="Names to begin with. Default: those of the icons.")
@click.option(
    "--templates", default="icons", show_default=True, metavar="FILE", help="Prompts with {}."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Default: the first free one from 7860 on."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
def demo(
    plain: str, shielded: str, classes: str | None, templates: str, port: int | None, device: str
) -> None:
    """Compare a plain and a shielded model on pictures that you choose.

    Serves a page to this machine only, until Ctrl-C. Needs `pip install "shieldclip[demo]"`.
    """
    from tempfile import TemporaryDirectory

    from shieldclip.demo.app import build_app, serve
    from shieldclip.demo.stage import open_stage

    with TemporaryDirectory() as folder:
        app = build_app(open_stage((plain, shielded), classes, templates, Path(folder), device))
        click.echo(f"Open {serve(app, port)} in a browser; Ctrl-C ends it.")
        app.block_thread()
