"""Distances of image-caption pairs, given pair by pair: float32 to search, float64 to decide."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.cost import cosine_cost
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.sinkhorn import solve

PRECISE_TOLERANCE = 1e-9
PATIENCE = 10
"""Times the iterations of float32 that float64 gets."""
PAIRS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Solved:
    """Transport problems of R pairs."""

    linear: Tensor
    """``[R]``, ``<T, C>``; infinite for empty captions."""
    error: Tensor
    """``[R]`` L1 error of row sums."""
    iterations: Tensor
    """``[R]``."""
    converged: Tensor
    """``[R]`` bool."""


def solve_costs(cost: Tensor, mask: Tensor, settings: SearchSettings) -> Solved:
    """Costs ``[R, P, L]`` and masks of words ``[R, L]``; patches weigh the same."""
    solution = solve(
        cost,
        columns=mask,
        epsilon=settings.epsilon,
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
    )
    error = (solution.plan.sum(2) - 1 / cost.shape[1]).abs().sum(1)
    return Solved(solution.linear, error, solution.iterations, solution.converged)


def solve_pairs(patches: Tensor, captions: Bags, settings: SearchSettings) -> Solved:
    """Image r with caption r: ``[R, P, D]`` patches, R captions."""
    tokens, mask = captions.pad()
    tokens, mask = tokens.to(patches.device), mask.to(patches.device)
    return solve_costs(cosine_cost(patches, tokens), mask, settings)


def precise_distances(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Tensor:
    """Distance ``[R]`` of image r to caption r in float64, to a tolerance of 1e-9.

    Args:
        patches: ``[R, P, D]`` unit norm.
        captions: R sets of unit vectors.
        settings: of the search.
        globals_: global features of the R images and captions, needed where they have weight.
    """
    wide = Bags(captions.features.to(patches.device, torch.float64), captions.offsets)
    strict = SearchSettings(
        epsilon=settings.epsilon,
        tolerance=PRECISE_TOLERANCE,
        max_iterations=PATIENCE * settings.max_iterations,
    )
    local = solve_pairs(patches.double(), wide, strict).linear
    return combined(local, _global_distances(globals_), settings.global_weight)


def pair_distances(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Tensor:
    """Distance ``[I]`` float32 of every image to the caption of the same place, on the CPU."""
    return precise_pairs(patches, captions, settings, globals_).float()


def precise_pairs(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Tensor:
    """`precise_distances` ``[I]`` on the CPU, a thousand pairs at a time."""
    parts = [torch.empty(0, dtype=torch.float64)]
    for rows in torch.split(torch.arange(len(patches)), PAIRS_AT_ONCE):
        some = captions.select(rows)
        own = rows_of(globals_, rows, rows)
        parts.append(precise_distances(patches[rows], some, settings, own).cpu())
    return torch.cat(parts)


def combined(local: Tensor, global_: Tensor | float, weight: float) -> Tensor:
    """``α (1 - cos) + (1 - α) d``, infinite where d is."""
    distance = weight * global_ + (1 - weight) * local
    return torch.where(local == torch.inf, torch.inf, distance)


def rows_of(
    globals_: GlobalFeatures | None, images: Tensor, texts: Tensor
) -> GlobalFeatures | None:
    """Global features of these images and these captions."""
    if globals_ is None:
        return None
    return GlobalFeatures(globals_.images[images], globals_.texts[texts.to(globals_.texts.device)])


def _global_distances(globals_: GlobalFeatures | None) -> Tensor | float:
    if globals_ is None:
        return 0.0
    images = globals_.images.double()
    return 1 - (images * globals_.texts.to(images)).sum(1)
