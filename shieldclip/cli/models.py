"""``shieldclip models``: the checkpoints shipped with this package."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def models(as_json: bool) -> None:
    """List the shipped checkpoints; use one as `--model shieldclip:NAME`."""
    import json

    from shieldclip.encoders.zoo import zoo_models

    rows = [
        {
            "name": model.name,
            "path": str(model.path),
            "backdoored": model.backdoored,
            "description": model.description,
        }
        for model in zoo_models()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "backdoored", "what it is", box=box.SIMPLE)
    for row in rows:
        backdoored = "yes" if row["backdoored"] else "no"
        table.add_row(str(row["name"]), backdoored, str(row["description"]))
    Console().print(table)
