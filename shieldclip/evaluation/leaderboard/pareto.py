"""Which checkpoints no other one beats in both accuracy and robustness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shieldclip.evaluation.pages.accuracy_scatter import Point

T = TypeVar("T")


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """The Pareto front: no other point is at least as good in both figures and better in one.

    Args:
        points: models with their clean accuracy (more is better) and the ASR of their worst attack
            (less is better).

    Returns:
        Those on the front, the least accurate first.
    """
    return tuple(unbeaten(points, lambda point: (point.accuracy.value, point.worst.value)))


def unbeaten(found: Sequence[T], figures: Callable[[T], tuple[float, float]]) -> list[T]:
    """Those that no other one equals in both figures and beats in one.

    Args:
        found: what is compared.
        figures: of one: accuracy (more is better) and success of the attack (less is better).

    Returns:
        In the order of their figures, the least accurate first.
    """
    kept = [
        one for one in found if not any(_beats(figures(other), figures(one)) for other in found)
    ]
    return sorted(kept, key=figures)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    gain, relief = one[0] - other[0], other[1] - one[1]
    return gain >= 0 and relief >= 0 and gain + relief > 0
