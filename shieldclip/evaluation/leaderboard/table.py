"""Checkpoints as rows: the same table for terminal and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shieldclip.evaluation.figures import EXCESS, count, interval, percent
from shieldclip.evaluation.headline import LABELS
from shieldclip.evaluation.leaderboard.entries import Entry
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.table import MISSING, Cell, Row, Table, numbers, texts

COLUMNS = (
    *texts("Checkpoint", "Verdict"),
    *numbers("CA@1, %"),
    *texts("Worst attack"),
    *numbers("ASR, %", f"{EXCESS}, points", "RA, %", "Attacks", "Parameters"),
)
SHORT = 6
"""Columns that a terminal shows."""


def to_table(entries: Sequence[Entry]) -> Table:
    """One row a checkpoint; figures of an attack are those of its worst one."""
    return Table("Checkpoints", COLUMNS, tuple(map(_row, entries)))


def in_short(table: Table) -> Table:
    """What fits a terminal of 80 columns: verdicts and what they rest on."""
    rows = tuple(row[:SHORT] for row in table.rows)
    return replace(table, columns=table.columns[:SHORT], rows=rows)


def _row(entry: Entry) -> Row:
    worst = entry.worst
    excess = worst.excess if worst else None
    beyond = Cell(MISSING)
    if excess:
        bounds = f"[{percent(excess.low)}, {percent(excess.high)}]"
        beyond = Cell(percent(excess.value), bounds, strong=excess.low > 0)
    return (
        Cell(entry.name),
        Cell(LABELS[entry.outcome]),
        _share(entry.accuracy),
        Cell(_attack(entry)),
        _share(worst.asr if worst else None),
        beyond,
        _share(worst.ra if worst else None),
        Cell(count(len(entry.attacks))),
        Cell(count(entry.model.parameters)),
    )


def _attack(entry: Entry) -> str:
    worst = entry.worst
    return f"{worst.asr.trigger} → {worst.asr.target}" if worst else MISSING


def _share(m: Measurement | None) -> Cell:
    if m is None:
        return Cell(MISSING)
    return Cell(percent(m.value), interval(m.metric, m.low, m.high))
