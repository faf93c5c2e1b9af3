"""A report in the terminal: verdict and tables as one rich renderable."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from shieldclip.evaluation.headline import Headline, headline
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.table import Cell, Row, Table
from shieldclip.evaluation.tables import tables
from shieldclip.evaluation.verdict import Outcome

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
        yield _grid(table, rows)
    if table.note:
        yield Text(table.note, style="dim")


def _lead(table: Table, lead: Row) -> Text:
    name, *figures = lead
    line = Text.assemble("\n", (name.text, "bold"))
    for column, cell in zip(table.columns[1 : table.lead], figures, strict=True):
        line.append(f"  {column.name} ", style="dim").append_text(_text(cell))
    return line


def _grid(table: Table, rows: list[Row]) -> RichTable:
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="dim")
    for column in table.columns[table.lead :]:
        side: JustifyMethod = "right" if column.numeric else "left"
        grid.add_column(column.name, justify=side, overflow="fold")
    for row in rows:
        grid.add_row(*(_text(cell) for cell in row))
    return grid


def _text(cell: Cell) -> Text:
    figure, _, rest = str(cell).partition(" ") if cell.interval else (str(cell), "", "")
    bounds = rest.replace(", ", ",")  # unbreakable: a narrow terminal puts it under its figure
    line = Text(figure, style="bold" if cell.strong else "")
    return line.append(f" {bounds}", style="dim") if bounds else line


def _verdict(head: Headline) -> Iterator[Text]:
    yield Text(f"\n{head.title}", style=_STYLES[head.outcome])
    for line in head.lines:
        label = (f"  {line.label}: ", _STYLES[line.outcome])
        yield Text.assemble(label, (line.model, "bold"), f". {line.sentence}")
    yield Text(f"{head.scope} {head.limits}", style="dim")
