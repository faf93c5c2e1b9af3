"""A table of text cells: the same for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from shieldclip.evaluation.figures import count, interval, printed
from shieldclip.evaluation.report import Measurement

MISSING = "\N{EN DASH}"


@dataclass(frozen=True)
class Column:
    """A column head; figures are right-aligned."""

    name: str
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table."""

    text: str
    interval: str = ""
    n: str = ""
    """Number of samples, where it differs from the row's ``N``."""
    strong: bool = False

    def __str__(self) -> str:
        samples = f"(N {self.n})" if self.n else ""
        return " ".join(part for part in (self.text, self.interval, samples) if part)


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows under columns, in groups whose first ``lead`` cells are equal; 0 for a plain table."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    lead: int = 0
    note: str = ""

    def groups(self) -> list[tuple[Row, list[Row]]]:
        """(the shared lead, what follows it in each row) of each group."""
        return [
            (lead, [row[self.lead :] for row in rows])
            for lead, rows in groupby(self.rows, key=lambda row: row[: self.lead])
        ]


def texts(*names: str) -> tuple[Column, ...]:
    """Columns of words."""
    return tuple(Column(name, numeric=False) for name in names)


def numbers(*names: str) -> tuple[Column, ...]:
    """Columns of figures."""
    return tuple(Column(name) for name in names)


def figures(found: Sequence[Measurement | None]) -> Row:
    """A cell per measurement, then their number of samples, which is that of the first."""
    n = next((m.n for m in found if m), None)
    return (*(_figure(m, n) for m in found), Cell(MISSING if n is None else count(n)))


def _figure(m: Measurement | None, n: int | None) -> Cell:
    if m is None:
        return Cell(MISSING)
    bounds = interval(m.metric, m.low, m.high)
    return Cell(printed(m.metric, m.value), bounds, n=count(m.n) if m.n != n else "")
