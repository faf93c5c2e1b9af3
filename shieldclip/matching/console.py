"""A matching on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shieldclip.matching.summary import Summary, facts, headline


def to_console(summary: Summary) -> RenderableType:
    """Headline and figures."""
    table = Table(box=box.SIMPLE, show_header=False)
    for name, figure in facts(summary):
        table.add_row(Text(name, style="bold"), Text(figure))
    return Group(Text(headline(summary), style="bold"), table)
