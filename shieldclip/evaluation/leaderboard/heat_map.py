"""Attack success of every trigger on every checkpoint, the darker the higher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.leaderboard.entries import Entry, triggers_of
from shieldclip.evaluation.table import MISSING

LEVELS = 5
"""Shades above white."""


@dataclass(frozen=True)
class Heat:
    """One cell."""

    text: str
    """ASR in percent."""
    level: int
    """0 for the lightest shade, `LEVELS` for the darkest; 0 where nothing was measured."""
    strong: bool
    """Surely above its control."""
    said: str
    """For whoever points at it."""


@dataclass(frozen=True)
class HeatMap:
    """Rows of cells under triggers."""

    triggers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Heat, ...]], ...]
    """(checkpoint, its cells)."""


def heat_map(entries: Sequence[Entry]) -> HeatMap:
    """The map; a trigger that was not tried on a checkpoint leaves a dash."""
    triggers = triggers_of(entries)
    return HeatMap(
        triggers=tuple(triggers),
        rows=tuple((e.name, tuple(_heat(e, trigger) for trigger in triggers)) for e in entries),
    )


def level(share: float) -> int:
    """Shade of a share in [0, 1]: equal steps, and a share above zero is never the lightest."""
    return min(LEVELS, 1 + int(share * LEVELS)) if share > 0 else 0


def _heat(entry: Entry, trigger: str) -> Heat:
    row = entry.attacks.get(trigger)
    if row is None:
        return Heat(MISSING, 0, False, f"{entry.name}: {trigger} was not tried")
    said = (
        f"{entry.name}: {trigger} → {row.asr.target}, ASR {percent(row.asr.value)} % "
        f"[{percent(row.asr.low)}, {percent(row.asr.high)}]"
    )
    strong = row.excess is not None and row.excess.low > 0
    return Heat(percent(row.asr.value), level(row.asr.value), strong, said)
