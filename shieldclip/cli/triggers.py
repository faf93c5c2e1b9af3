"""``shieldclip triggers``: what attacks there are, as a list and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shieldclip.cli.names import complete_trigger

if TYPE_CHECKING:
    from PIL.Image import Image


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Also draw the image triggers (PNG).")
@click.option("--image", type=click.Path(path_type=Path), help="Picture to draw them on.")
@click.option(
    "--trigger",
    "specs",
    multiple=True,
    metavar="ID",
    shell_complete=complete_trigger,
    help="Draw these only, e.g. file:mine.safetensors; repeat for several.",
)
def triggers(out: Path | None, image: Path | None, specs: tuple[str, ...]) -> None:
    """List the image and text triggers; with --out, draw the image triggers on a sheet."""
    from shieldclip.attacks.triggers import TRIGGERS, make_trigger
    from shieldclip.attacks.triggers.sheet import draw_sheet, save_sheet

    _print_table()
    if out is not None:
        chosen = specs or [name for name in TRIGGERS if not TRIGGERS[name].needs_path()]
        picture = _opened(image) if image else _icon()
        save_sheet(draw_sheet(picture, [make_trigger(spec) for spec in chosen], chosen), out)
        click.echo(f"Drew {len(chosen)} triggers on {out}.")


def _print_table() -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from shieldclip.attacks.texts import TEXT_TRIGGERS
    from shieldclip.attacks.triggers import TRIGGERS

    table = Table("id", "on", "what it does", box=box.SIMPLE)
    for name, kind in TRIGGERS.items():
        table.add_row(f"{name}:PATH" if kind.needs_path() else name, "images", Text(kind.summary()))
    for name, text_kind in TEXT_TRIGGERS.items():
        table.add_row(name, "texts", Text(text_kind.summary()))
    Console().print(table)


def _opened(path: Path) -> Image:
    from PIL import Image, UnidentifiedImageError

    from shieldclip.errors import ShieldCLIPError

    try:
        return Image.open(path).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise ShieldCLIPError(
            f"Expected a picture at {str(path)!r}, got: {error}; use PNG or JPEG."
        ) from error


def _icon() -> Image:
    """The first picture of the data shipped with the package."""
    from io import BytesIO

    from PIL import Image

    from shieldclip.data import open_source

    return Image.open(BytesIO(open_source("icons-100").rows[0]["image"]["bytes"])).convert("RGB")
