"""Which gaps stand out: a mixture of two Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching.mixture import FLOOR, Component, Floats, evidence, moments, posterior

STARTS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""Quantiles at which a fit begins; the likeliest of the fits is taken."""
DISTINCT = 6.0
"""Least distance of the components' means, in deviations of the trusted one, at which they count
as two groups. Two halves of one skewed hump lie 4 to 5 apart."""
FEWEST = 10
"""Gaps below which no mixture is fitted."""


@dataclass(frozen=True, eq=False)
class Split:
    """Trusted and suspicious pairs."""

    risk: Floats
    """``[N]`` in [0, 1]: posterior of the suspicious component; never falls where gaps rise."""
    threshold: float
    """The gap from which a pair is distrusted; infinite where none is."""
    trusted: Component | None
    """``None`` where nothing could be fitted."""
    suspicious: Component | None
    separation: float
    """Distance of the means in deviations of the trusted component, 0 where nothing was fitted."""

    @property
    def distinct(self) -> bool:
        """Whether there are two groups at all."""
        return self.separation >= DISTINCT


def split(gaps: ArrayLike, *, level: float = 0.5, seed: int = 0) -> Split:
    """Fit two components to the gaps and judge each by the posterior of the upper one.

    A mixture with free variances would spend a component on the many pairs whose gap is 0. So
    components first share one variance (scikit-learn's ``tied``), and get their own from the
    shares of that fit. Between the means the posterior rises with the gap; beyond them it stays
    what it is there, so that a larger gap never means a smaller risk.

    Nothing stands out, and every risk is 0, where the components are less than `DISTINCT` apart,
    where all gaps are equal, or where there are fewer than `FEWEST` of them.

    Args:
        gaps: ``[N]``, at least 0. Infinite ones (captions that cannot be compared) get risk 1 and
            NaN ones (pictures that cannot be read) risk NaN; neither is fitted.
        level: risk from which a pair is distrusted, in (0, 1].
        seed: of the fit.

    Raises:
        ShieldCLIPError: gaps of another shape, or a level out of range.
    """
    values = np.asarray(gaps, np.float64)
    if values.ndim != 1:
        raise ShieldCLIPError(f"Expected gaps of shape [N], got {list(values.shape)}.")
    if not 0 < level <= 1:
        raise ShieldCLIPError(f"Expected a level in (0, 1], got {level}; 0.5 is the default.")
    finite = np.isfinite(values)
    risk = np.where(finite, 0.0, np.where(np.isnan(values), np.nan, 1.0))
    components = _fit(values[finite], seed)
    if components is None:
        return Split(risk, np.inf, None, None, 0.0)
    trusted, suspicious = components
    separation = (suspicious.mean - trusted.mean) / trusted.deviation
    threshold = np.inf
    if separation >= DISTINCT:
        risk[finite] = _posterior(values[finite], trusted, suspicious)
        threshold = _crossing(trusted, suspicious, level)
    return Split(risk, float(threshold), trusted, suspicious, float(separation))


def _fit(gaps: Floats, seed: int) -> tuple[Component, Component] | None:
    """Trusted and suspicious component, or nothing."""
    from sklearn.mixture import GaussianMixture

    largest = gaps.max(initial=0)
    if len(gaps) < FEWEST or largest - gaps.min(initial=largest) <= 1e-6 * max(1.0, largest):
        return None
    column = gaps[:, None]
    best = None
    for cut in np.unique(np.quantile(gaps, STARTS)):
        upper = gaps > cut
        if not upper.any():
            continue
        start = np.array([[gaps[~upper].mean()], [gaps[upper].mean()]])
        within = np.mean((gaps - start[upper.astype(int), 0]) ** 2)
        share = upper.mean()
        fitted = GaussianMixture(
            2,
            covariance_type="tied",
            means_init=start,
            weights_init=[1 - share, share],
            precisions_init=[[1 / max(within, (FLOOR * largest) ** 2)]],
            reg_covar=(FLOOR * largest) ** 2,
            max_iter=500,
            random_state=seed,
        ).fit(column)
        if best is None or fitted.lower_bound_ > best.lower_bound_:
            best = fitted
    if best is None:
        return None
    shares = best.predict_proba(column)[:, np.argsort(best.means_[:, 0])]  # [N, 2]
    lower, upper_one = (moments(gaps, shares[:, place], FLOOR * largest) for place in (0, 1))
    return (lower, upper_one) if lower and upper_one else None


def _posterior(gaps: Floats, trusted: Component, suspicious: Component) -> Floats:
    return posterior(evidence(gaps, trusted, suspicious), suspicious.weight)


def _crossing(trusted: Component, suspicious: Component, level: float) -> float:
    """The smallest gap whose risk reaches the level, to a ten-thousandth of the way."""
    grid = np.linspace(trusted.mean, suspicious.mean, 10_001)
    reached = _posterior(grid, trusted, suspicious) >= level
    return float(grid[reached.argmax()]) if reached.any() else np.inf
