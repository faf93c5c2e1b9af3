"""Intervals around figures: 95 % unless told otherwise.

Shares get Wilson's score interval, the difference of two shares Newcombe's hybrid of two Wilson
intervals. Means and medians of ranks, which are no shares, get a percentile bootstrap with a fixed
seed. All of them treat the samples as independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 1000
_CHUNK = 1 << 22  # resampled values held at a time


@dataclass(frozen=True)
class Estimate:
    """A figure over ``n`` samples and the interval that holds it."""

    value: float
    n: int
    low: float
    high: float

    @classmethod
    def exact(cls, value: float, n: int) -> Estimate:
        """A figure without sampling error, such as a random level."""
        return cls(value, n, value, value)


def wilson(hits: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927; no continuity correction).

    Args:
        hits: samples that count, in ``[0, n]``.
        n: samples, at least one.
        confidence: coverage in ``(0, 1)``.
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"expected 0 <= hits <= n and n > 0, got {hits} of {n}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, spread = hits / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    reach = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # Rounding must not push the bounds past the share itself, nor out of [0, 1].
    low, high = min(max(0.0, centre - reach), share), max(min(1.0, centre + reach), share)
    return Estimate(share, n, low if hits else 0.0, high if hits < n else 1.0)


def newcombe(
    value: float, low: float, high: float, other: float, other_low: float, other_high: float
) -> tuple[float, float, float]:
    """``value - other`` with the interval of Newcombe 1998, method 10.

    Takes the two shares with their Wilson bounds, so that a coverage corrected there carries over.
    Made for independent samples; for two shares of the *same* pictures, which rise and fall
    together, it is on the wide side.

    Returns:
        difference, low end, high end; each in ``[-1, 1]``.
    """
    difference = value - other
    return (
        difference,
        difference - hypot(value - low, other_high - other),
        difference + hypot(high - value, other - other_low),
    )


def bonferroni(comparisons: int, confidence: float = CONFIDENCE) -> float:
    """Coverage of each of several intervals that makes all of them hold at ``confidence``."""
    return 1 - (1 - confidence) / comparisons


def bootstrap_mean(values: NDArray[np.generic], seed: int = 0) -> Estimate:
    """The mean of ``values`` [N] with a percentile bootstrap interval."""
    return _bootstrap(values, np.mean, seed)


def bootstrap_median(values: NDArray[np.generic], seed: int = 0) -> Estimate:
    """The median of ``values`` [N] with a percentile bootstrap interval."""
    return _bootstrap(values, np.median, seed)


def _bootstrap(
    values: NDArray[np.generic], statistic: Callable[..., object], seed: int
) -> Estimate:
    n = len(values)
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // n)
    draws = [
        np.asarray(
            statistic(values[rng.integers(n, size=(min(step, RESAMPLES - start), n))], axis=1)
        )
        for start in range(0, RESAMPLES, step)
    ]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(draws), [tail, 1 - tail])
    return Estimate(float(np.asarray(statistic(values))), n, float(low), float(high))
