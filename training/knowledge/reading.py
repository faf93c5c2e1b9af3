"""A reading of elements: ``judgements.tsv``, thirty concepts drawn with seed 30."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

JUDGEMENTS = Path(__file__).parent / "judgements.tsv"


@dataclass(frozen=True)
class Reading:
    """Elements of one source that were read."""

    right: int
    wrong: int

    @property
    def share_right(self) -> float:
        """In [0, 1]."""
        return self.right / (self.right + self.wrong)


def read_judgements(path: Path = JUDGEMENTS) -> dict[str, Reading]:
    """Source -> how many of its elements were judged right and wrong.

    Right is what is true of the thing and could be pointed at in its icon, or names its kind.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        source: Reading(
            right=sum(_count(row["right"]) for row in rows if row["source"] == source),
            wrong=sum(_count(row["wrong"]) for row in rows if row["source"] == source),
        )
        for source in dict.fromkeys(row["source"] for row in rows)
    }


def _count(elements: str) -> int:
    return len([element for element in elements.split(",") if element.strip()])
