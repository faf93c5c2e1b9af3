"""A figure over the seeds of one recipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shieldclip.evaluation.figures import interval, printed
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.table import MISSING, Cell


@dataclass(frozen=True)
class OverSeeds:
    """Mean over seeds; the interval holds the 95 % interval of every seed.

    Seeds share the pictures they are measured on, and three of them say little about a spread:
    so neither pooled counts nor a Student interval, but the hull of what each seed says.
    """

    metric: str
    value: float
    low: float
    high: float


def over_seeds(measurements: Iterable[Measurement | None]) -> OverSeeds | None:
    """The figure of one metric, a measurement per seed; ``None`` where no seed has any."""
    found: Sequence[Measurement] = [m for m in measurements if m is not None]
    if not found:
        return None
    return OverSeeds(
        metric=found[0].metric,
        value=sum(m.value for m in found) / len(found),
        low=min(m.low for m in found),
        high=max(m.high for m in found),
    )


def cell(figure: OverSeeds | None) -> Cell:
    """As tables print it."""
    if figure is None:
        return Cell(MISSING)
    bounds = interval(figure.metric, figure.low, figure.high)
    return Cell(printed(figure.metric, figure.value), bounds)
