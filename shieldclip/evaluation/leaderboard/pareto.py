"""Which checkpoints no other one beats in both accuracy and robustness."""

from __future__ import annotations

from collections.abc import Sequence

from shieldclip.evaluation.pages.accuracy_scatter import Point


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """The Pareto front: no other point is at least as good in both figures and better in one.

    Args:
        points: models with their clean accuracy (more is better) and the ASR of their worst attack
            (less is better).

    Returns:
        Those on the front, the least accurate first.
    """
    kept = [point for point in points if not any(_beats(other, point) for other in points)]
    return tuple(sorted(kept, key=lambda point: (point.accuracy.value, point.worst.value)))


def _beats(one: Point, other: Point) -> bool:
    gain = one.accuracy.value - other.accuracy.value
    relief = other.worst.value - one.worst.value
    return gain >= 0 and relief >= 0 and gain + relief > 0
