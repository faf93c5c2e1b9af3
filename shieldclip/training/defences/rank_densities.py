"""How ranks in [0, 1] are distributed: exponentially and cut off at 1, or, in the limit, evenly."""

from __future__ import annotations

import torch
from torch import Tensor

EVEN = 0.5
"""Mean of ranks that are drawn at random."""
_HALVINGS = 40
_STEEPEST = 1e4
"""Largest rate that is looked for."""


def log_density(rank: Tensor, scale: Tensor) -> Tensor:
    """Of an exponential cut off at 1.

    Args:
        rank: in [0, 1].
        scale: above 0, of the same shape or one that broadcasts; infinite ones are even, 0.
    """
    density = -rank / scale - torch.log(scale * -torch.expm1(-1 / scale))
    return torch.where(scale.isinf(), 0.0, density)


def scale_of(mean: Tensor) -> Tensor:
    """Whose `log_density` has these means ``[K]`` in (0, 0.5]; infinite for 0.5."""
    scale = torch.full_like(mean, torch.inf)
    steep = mean < EVEN
    if steep.any():  # mostly none is, and batches ask often
        scale[steep] = 1 / _rate_of(mean[steep])
    return scale


def _rate_of(mean: Tensor) -> Tensor:
    """Found by bisection."""
    low, high = torch.zeros_like(mean), torch.full_like(mean, _STEEPEST)
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        # The difference of two large numbers loses what the series has.
        found = torch.where(rate < 1e-2, EVEN - rate / 12, 1 / rate - 1 / torch.expm1(rate))
        low, high = torch.where(found < mean, low, rate), torch.where(found < mean, rate, high)
    return high
