"""Write what benchmarks measured into the docs, from the records that `record.py` made.

    python benchmarks/write_costs.py

Nothing between the marks of these pages is typed by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from costs import models, scale, search, steps
from costs.goals import to_markdown
from costs.stored import MEASURED, Records, load_records
from record import COMMANDS

from shieldclip.drafts import write_text

sys.path.append(str(Path(__file__).parents[1] / "training"))

from marks import replace_block

DOCS = Path(__file__).parents[1] / "docs"
Block = Callable[[Records], str]


def goals(records: Records) -> str:
    """All of them."""
    return to_markdown([goal for room in (steps, models, search) for goal in room.goals(records)])


PAGES: Mapping[str, Mapping[str, Block]] = {
    "costs.md": {
        "goals": goals,
        "steps": steps.all_steps,
        "inference": models.inference,
        "evaluation": models.evaluation,
    },
    "semantic-shield.md": {"elements": steps.of_elements},
    "otcclip.md": {"matching": steps.of_matching},
    "transport.md": {"peers": search.peers, "itself": search.itself},
    "scale.md": {"rates": scale.rates, "time": scale.time, "space": scale.space},
}
"""Page -> what stands between which marks."""


def mark(name: str) -> str:
    """That a block stands between."""
    return f"costs: {name}"


def written(text: str, blocks: Mapping[str, Block], records: Records) -> str:
    """A page's text with its blocks as the records want them."""
    for name, block in blocks.items():
        text = replace_block(text, mark(name), block(records))
    return text


@click.command()
@click.option("--measured", type=click.Path(path_type=Path), default=MEASURED, help="Records.")
@click.option("--docs", type=click.Path(path_type=Path), default=DOCS, help="Folder of pages.")
def main(measured: Path, docs: Path) -> None:
    """Read, render, write."""
    records = load_records(COMMANDS, measured)
    for name, blocks in PAGES.items():
        page = docs / name
        write_text(page, written(page.read_text(encoding="utf-8"), blocks, records))
        click.echo(f"Wrote {page}.")


if __name__ == "__main__":
    main()
