"""Gaussian components of gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLOOR = 1e-4
"""Least deviation of a component, relative to the largest gap."""


@dataclass(frozen=True)
class Component:
    """One Gaussian of a mixture."""

    mean: float
    deviation: float
    weight: float
    """Share of the pairs."""

    def log_density(self, gaps: Floats) -> Floats:
        """Of ``gaps`` [N], without the weight, up to a constant that all components share."""
        density: Floats = -(((gaps - self.mean) / self.deviation) ** 2) / 2 - np.log(self.deviation)
        return density


def moments(gaps: Floats, share: Floats, floor: float) -> Component | None:
    """Mean and deviation of the gaps, each counted by its share in the component.

    Args:
        gaps: ``[N]``.
        share: ``[N]`` in [0, 1].
        floor: least deviation.

    Returns:
        Nothing where all shares are 0.
    """
    total = share.sum()
    if total <= 0:
        return None
    mean = float((share * gaps).sum() / total)
    variance = float((share * (gaps - mean) ** 2).sum() / total)
    return Component(mean, max(variance**0.5, floor), float(total / len(gaps)))


def evidence(gaps: Floats, trusted: Component, suspicious: Component) -> Floats:
    """Log ratio of the densities ``[N]``; it rises from one mean to the other.

    Beyond the means it stays what it is there, so that a larger gap never speaks for a pair.
    """
    between = np.clip(gaps, trusted.mean, suspicious.mean)
    return suspicious.log_density(between) - trusted.log_density(between)


def posterior(evidence: Floats, share: float | Floats) -> Floats:
    """Of the suspicious component ``[N]``, if that is its share before anything is seen."""
    odds = evidence + np.log(share) - np.log1p(-np.asarray(share))
    result: Floats = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
    return result
