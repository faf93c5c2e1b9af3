"""A report as Markdown (GitHub flavour), for a terminal, an issue or a model card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shieldclip.evaluation.definitions import definitions
from shieldclip.evaluation.facts import data_table, models_table, remarks, versions_line
from shieldclip.evaluation.headline import Headline, headline
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.table import Cell, Table
from shieldclip.evaluation.tables import tables

_SPECIAL = re.compile(r"([\\`*_<>|~$&#]|\](?=[(\[:]))")
"""What Markdown, its tables, or HTML within it would read as markup; brackets only in links."""


def to_markdown(report: EvalReport) -> str:
    """The whole report: verdict, tables, data and models, definitions."""
    sections = [
        _verdict(headline(report)),
        *(_section(table) for table in tables(report)),
        _section(models_table(report)),
        _section(data_table(report)),
        _bullets("Remarks", map(escape, remarks(report))),
        _bullets("Definitions", _defined(report)),
        escape(versions_line(report)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def to_table(table: Table) -> str:
    """One table; cells of a group's lead are repeated, so that every row can be read alone."""
    head = "| " + " | ".join(escape(column.name) for column in table.columns) + " |"
    rule = "|" + "|".join(" ---: " if column.numeric else " --- " for column in table.columns) + "|"
    rows = ("| " + " | ".join(map(_cell, row)) + " |" for row in table.rows)
    return "\n".join((head, rule, *rows))


def escape(text: str) -> str:
    """Text from outside (names of models, classes, files) as literal text on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _verdict(head: Headline) -> str:
    lines = (
        f"- **{line.label}**: {escape(line.model)}. {escape(line.sentence)}" for line in head.lines
    )
    scope = escape(f"{head.scope} {head.limits}")
    return "\n\n".join((f"# {escape(head.title)}", "\n".join(lines), scope))


def _section(table: Table) -> str:
    parts = (f"## {escape(table.title)}", to_table(table), escape(table.note))
    return "\n\n".join(part for part in parts if part)


def _cell(cell: Cell) -> str:
    text = escape(str(cell))
    return f"**{text}**" if cell.strong else text


def _bullets(title: str, items: Iterable[str]) -> str:
    listed = "\n".join(f"- {item}" for item in items)
    return f"## {title}\n\n{listed}" if listed else ""


def _defined(report: EvalReport) -> Iterator[str]:
    for name, text in definitions(report).items():
        yield f"**{escape(name)}**: {escape(text)}"
