"""Which pairs of a batch a loss is taken over, and with which weights."""

from __future__ import annotations

import torch
from torch import Tensor


def chosen_rows(rows: Tensor | None, batch: Tensor) -> Tensor:
    """``rows``, or every row of ``batch`` where none are given -> ``[B]`` indices."""
    return torch.arange(len(batch), device=batch.device) if rows is None else rows


def weighted_mean(per_pair: Tensor, weights: Tensor | None) -> Tensor:
    """Mean over pairs.

    Not divided by the sum of the weights: these have mean 1 over the *whole* batch, so means of
    its parts average to its mean.

    Args:
        per_pair: ``[B]``.
        weights: ``[B]``, or none for equal weights.
    """
    return per_pair.mean() if weights is None else (weights * per_pair).mean()
