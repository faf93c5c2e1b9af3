"""A report in the terminal: verdict and tables as one rich renderable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import (
    Console,
    ConsoleOptions,
    Group,
    JustifyMethod,
    RenderableType,
    RenderResult,
)
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from shieldclip.evaluation.headline import Headline, headline
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.table import Cell, Column, Row, Table
from shieldclip.evaluation.tables import tables
from shieldclip.evaluation.verdict import Outcome

_ANY = 1000
"""More columns than any table needs."""
_STYLES: dict[Outcome, str] = {
    "backdoored": "bold red",
    "suspicious": "bold yellow",
    "clean": "bold",
    "untested": "bold",
}


def to_console(report: EvalReport) -> Group:
    """Tables first, verdict last, where the eye rests; print it with a rich console."""
    parts = [part for table in tables(report) for part in to_rich(table)]
    return Group(*parts, *_verdict(headline(report)))


def to_rich(table: Table) -> Iterator[RenderableType]:
    """The title, then a small table per group under a line that holds the group's lead."""
    yield Text(f"\n{table.title}", style="bold")
    for lead, rows in table.groups():
        if lead:
            yield _lead(table, lead)
        yield _Grid(table.columns[table.lead :], rows)
    if table.note:
        yield Text(table.note, style="dim")


def _lead(table: Table, lead: Row) -> Text:
    name, *figures = lead
    line = Text.assemble("\n", (name.text, "bold"))
    for column, cell in zip(table.columns[1 : table.lead], figures, strict=True):
        line.append(f"  {column.name} ", style="dim").append_text(_text(cell))
    return line


@dataclass(frozen=True)
class _Grid:
    """Columns and rows: intervals stand beside their figures, or below them, or are left out."""

    columns: Sequence[Column]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The first that fits; the last folds."""
        *others, last = (self._drawn(place) for place in (" ", "\n", None))
        room = options.update(max_width=_ANY)
        fitting = (
            grid
            for grid in others
            if Measurement.get(console, room, grid).maximum <= options.max_width
        )
        yield next(fitting, last)

    def _drawn(self, place: str | None) -> RichTable:
        grid = RichTable(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
            header_style="dim",
        )
        for column in self.columns:
            side: JustifyMethod = "right" if column.numeric else "left"
            # A narrow head makes room for figures.
            head = column.name if place == " " else column.name.replace(" ", "\n")
            grid.add_column(head, justify=side, overflow="fold")
        for row in self.rows:
            grid.add_row(*(_text(cell, place) for cell in row))
        return grid


def _text(cell: Cell, place: str | None = " ") -> Text:
    """A figure, and after `place` its interval; without one none."""
    line = Text(cell.text, style="bold" if cell.strong else "")
    if cell.interval and place is not None:
        line.append(f"{place}{cell.interval.replace(', ', ',')}", style="dim")
    return line.append(f" (N {cell.n})", style="dim") if cell.n else line


def _verdict(head: Headline) -> Iterator[Text]:
    yield Text(f"\n{head.title}", style=_STYLES[head.outcome])
    for line in head.lines:
        label = (f"  {line.label}: ", _STYLES[line.outcome])
        yield Text.assemble(label, (line.model, "bold"), f". {line.sentence}")
    yield Text(f"{head.scope} {head.limits}", style="dim")
