"""``shieldclip models``: the checkpoints shipped with this package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shieldclip.encoders import ZooModel


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def models(as_json: bool) -> None:
    """List the shipped checkpoints; use one as `--model shieldclip:NAME`."""
    import json

    from shieldclip.encoders.zoo import zoo_models

    found = zoo_models()
    if not as_json:
        _print_table(found)
        return
    rows = [
        {
            "name": model.name,
            "path": str(model.path),
            "backdoored": model.backdoored,
            "description": model.description,
        }
        for model in found
    ]
    click.echo(json.dumps(rows, indent=1, ensure_ascii=False))


def _print_table(found: Sequence[ZooModel]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "backdoored", "what it is", box=box.SIMPLE)
    for model in found:
        said = Text(model.description)
        if model.warning:
            said.append(f"\nWARNING. {model.warning}", style="bold red")
        mark = Text("BACKDOORED", style="bold red") if model.backdoored else Text("no")
        table.add_row(model.name, mark, said)
    Console().print(table)
