"""Knowledge that is wrong on purpose: the same elements, each text with those of another.

    python training/shuffle_knowledge.py embedded:icons --out shuffled.parquet

What a defence still does with it, it does not owe to knowledge.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from shieldclip.knowledge import KnowledgeRow, read_rows, write_rows
from shieldclip.knowledge.knowledge import knowledge_file


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option("--seed", default=0, show_default=True)
def main(source: str, out: Path, seed: int) -> None:
    """Write the rows of SOURCE, a knowledge file or embedded:NAME, with their elements shuffled."""
    rows = read_rows(knowledge_file(source))
    write_rows(shuffled(rows, seed), out)
    click.echo(f"Wrote {len(rows)} texts to {out}.")


def shuffled(rows: list[KnowledgeRow], seed: int) -> list[KnowledgeRow]:
    """One cycle through all rows, so that no text keeps its elements."""
    order = np.random.default_rng(seed).permutation(len(rows))
    giver = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [
        replace(row, elements=rows[giver[n]].elements, source=f"shuffled:{row.source}")
        for n, row in enumerate(rows)
    ]


if __name__ == "__main__":
    main()
