"""Tables of figures, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shieldclip.evaluation.markdown import to_table
from shieldclip.evaluation.table import Cell, Table, numbers, texts


def table(words: Sequence[str], figures: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of words, then columns of figures."""
    cells = tuple(tuple(map(Cell, row)) for row in rows)
    return to_table(Table("", (*texts(*words), *numbers(*figures)), cells))


def listed(head: str, rows: Mapping[str, str]) -> str:
    """What was measured, and its figure."""
    return table(("",), (head,), rows.items())
