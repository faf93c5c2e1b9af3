"""How well a score tells poisoned pairs from clean ones, where it is known which are which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shieldclip.errors import ShieldCLIPError

RESAMPLES = 200
_TAIL = 0.025
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Detection:
    """Detection of poisoned pairs; poisoned is the positive class."""

    roc_auc: Figure
    """Area under the ROC curve: chance that a poisoned pair scores above a clean one."""
    pr_auc: Figure
    """Average precision."""
    fpr_at_95: Figure
    """Share of clean pairs that score as high as the lowest score that finds 95 % of the poisoned
    ones."""
    poisoned: int
    clean: int


def detect(scores: ArrayLike, poisoned: ArrayLike, *, seed: int = 0) -> Detection:
    """Figures of a score, with intervals from a Poisson bootstrap over pairs.

    Args:
        scores: ``[N]``, higher is more suspicious; infinite is allowed, NaN is not.
        poisoned: ``[N]`` bool.
        seed: of the bootstrap.

    Raises:
        ShieldCLIPError: shapes that differ, a NaN, or only one of the two kinds.
    """
    score, flag = np.asarray(scores, np.float64), np.asarray(poisoned, bool)
    if score.ndim != 1 or score.shape != flag.shape or np.isnan(score).any():
        raise ShieldCLIPError(
            f"Expected scores and flags [N] without NaN, got {list(score.shape)} and "
            f"{list(flag.shape)}; leave out pairs that have no score."
        )
    if not 0 < flag.sum() < len(flag):
        raise ShieldCLIPError(
            f"Expected poisoned and clean pairs, got {flag.sum()} poisoned of {len(flag)}; "
            "check that the manifest belongs to this data set."
        )
    order = np.argsort(-score, kind="stable")
    score, flag = score[order], flag[order]
    # Pairs of equal score count together.
    last = np.append(score[1:] != score[:-1], True)
    value = _figures(np.ones(len(flag)), flag, last)
    rng = np.random.default_rng(seed)
    draws = [_figures(rng.poisson(1, len(flag)), flag, last) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(np.stack(draws), [_TAIL, 1 - _TAIL], axis=0)
    roc, precision, fpr = (
        Figure(float(v), float(a), float(b)) for v, a, b in zip(value, low, high, strict=True)
    )
    return Detection(roc, precision, fpr, int(flag.sum()), int((~flag).sum()))


def _figures(weights: ArrayLike, flag: NDArray[np.bool_], last: NDArray[np.bool_]) -> Floats:
    """ROC-AUC, average precision, FPR at 95 % TPR of weighted pairs in falling order of score."""
    weight = np.asarray(weights, np.float64)
    found = np.cumsum(weight * flag)[last]
    false = np.cumsum(weight * ~flag)[last]
    if found[-1] == 0 or false[-1] == 0:
        return np.full(3, np.nan)
    tpr, fpr = np.append(0, found / found[-1]), np.append(0, false / false[-1])
    precision = found / np.maximum(found + false, 1)
    return np.array(
        [
            np.trapezoid(tpr, fpr),
            (np.diff(tpr) * precision).sum(),
            fpr[np.argmax(tpr >= 0.95 - 1e-12)],
        ]
    )
