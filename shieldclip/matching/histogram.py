"""The histogram of gaps and the mixture over it, as points of a drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shieldclip.matching.judge import KEEP, Matching
from shieldclip.matching.mixture import Component
from shieldclip.matching.risk import Split

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 748, 16, 252
BINS = 58
_CURVE = 240  # points
_COUNTS = (0, *(10**power for power in range(8)))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bar:
    """A rectangle in user units."""

    x: float
    y: float
    width: float
    height: float
    marked: bool
    """Whether it counts the second group."""


@dataclass(frozen=True)
class Tick:
    """A label at a place of an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """All that is drawn; pairs are counted on a logarithmic axis, as poisons are few."""

    groups: tuple[str, str]
    """What plain and marked bars count."""
    bars: tuple[Bar, ...]
    curves: tuple[str, ...]
    """Paths: the trusted and the suspicious component."""
    threshold: float | None
    """Where pairs begin to be distrusted."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def histogram(matching: Matching) -> Histogram | None:
    """The drawing; ``None`` if no gap is finite.

    Bars are marked where pairs are known to be poisoned or, without that knowledge, distrusted.
    """
    gaps = matching.table["gap"].to_numpy()
    finite = np.isfinite(gaps)
    if not finite.any():
        return None
    groups, marked = _groups(matching.table)
    edges = np.linspace(0, max(float(gaps[finite].max()), 1e-3), BINS + 1)
    counts = [np.histogram(gaps[finite & (marked == mark)], edges)[0] for mark in (False, True)]
    top = max(int(count.max()) for count in counts)
    curves = _curves(matching.split, int(finite.sum()), edges)
    threshold = matching.split.threshold
    return Histogram(
        groups=groups,
        bars=tuple(
            _bar(edges[i], edges[i + 1], count[i], edges[-1], top, bool(mark))
            for mark, count in enumerate(counts)
            for i in range(BINS)
            if count[i]
        ),
        curves=tuple(_path(edges[-1], top, curve) for curve in curves),
        threshold=_x(threshold, edges[-1]) if threshold <= edges[-1] else None,
        x_ticks=tuple(Tick(_x(gap, edges[-1]), f"{gap:g}") for gap in _round_gaps(edges[-1])),
        y_ticks=tuple(Tick(_y(count, top), f"{count:,}") for count in _COUNTS if count <= top),
    )


def _groups(table: pa.Table) -> tuple[tuple[str, str], NDArray[np.bool_]]:
    if "poisoned" in table.column_names:
        return ("clean pairs", "poisoned pairs"), np.asarray(table["poisoned"].to_pylist(), bool)
    kept = np.array([decision == KEEP for decision in table["decision"].to_pylist()])
    return ("trusted pairs", "distrusted pairs"), ~kept


def _round_gaps(most: float) -> list[float]:
    """Three to seven round numbers from 0 up."""
    power = 10.0 ** np.floor(np.log10(most))
    step = next(power * share for share in (0.2, 0.5, 1, 2) if most <= 6.5 * power * share)
    return [round(step * place, 10) for place in range(int(most / step) + 1)]


def _x(gap: float, most: float) -> float:
    return LEFT + (RIGHT - LEFT) * gap / most


def _y(count: float, top: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * float(np.log10(1 + count) / np.log10(1 + max(top, 1)))


def _bar(low: float, high: float, count: int, most: float, top: int, marked: bool) -> Bar:
    x, y = _x(low, most), _y(count, top)
    return Bar(x + 0.5, y, _x(high, most) - x - 1, BOTTOM - y, marked)


def _curves(split: Split, pairs: int, edges: Floats) -> list[Floats]:
    """``[_CURVE]`` expected pairs per bar of each component."""
    gaps = np.linspace(0, edges[-1], _CURVE)
    per_bar = pairs * (edges[1] - edges[0]) / np.sqrt(2 * np.pi)
    components: list[Component] = [c for c in (split.trusted, split.suspicious) if c is not None]
    return [per_bar * one.weight * np.exp(one.log_density(gaps)) for one in components]


def _path(most: float, top: int, curve: Floats) -> str:
    places = zip(np.linspace(0, most, _CURVE), curve, strict=True)
    points = (f"{_x(gap, most):.1f} {max(_y(count, top), TOP):.1f}" for gap, count in places)
    return "M" + "L".join(points)
