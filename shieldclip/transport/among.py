"""Search among a few captions per image, given by index, on torch."""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.cost import widen
from shieldclip.transport.pairs import (
    PAIRS_AT_ONCE,
    combined,
    precise_distances,
    rows_of,
    solve_pairs,
)
from shieldclip.transport.results import Nearest
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.streaming import TIE, Tally


def search_among(
    patches: Tensor,
    captions: Bags,
    rows: Tensor,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Nearest:
    """Nearest of the captions ``rows`` ``[I, K]`` (int64) of every image.

    All are solved in float32, then those within the slack of the best in float64. Other arguments
    as checked by `shieldclip.transport.nearest_captions`.
    """
    tally = Tally()
    step = max(1, PAIRS_AT_ONCE // max(1, rows.shape[1]))
    index = torch.full((len(rows),), -1, dtype=torch.int64)
    distance = torch.full((len(rows),), torch.inf, dtype=torch.float64)
    for images in torch.split(torch.arange(len(rows)), step):
        local = _distances(patches, captions, images, rows[images], settings, globals_, tally)
        image, place = _close(local, settings.slack).nonzero(as_tuple=True)
        found = rows[images[image], place]
        own = rows_of(globals_, images[image], found)
        some = captions.select(found)
        exact = precise_distances(patches[images[image]], some, settings, own).cpu()
        distance.scatter_reduce_(0, images[image], exact, "amin")
        tied = exact <= distance[images[image]] + TIE
        # The lowest index wins; -1 is what no caption has.
        index[images] = _lowest(image[tied], found[tied], len(images))
    pairs = int((captions.sizes[rows] > 0).sum())
    return Nearest(index, distance.float(), tally.stats(pairs))


def _distances(
    patches: Tensor,
    captions: Bags,
    images: Tensor,
    rows: Tensor,
    settings: SearchSettings,
    globals_: GlobalFeatures | None,
    tally: Tally,
) -> Tensor:
    """Of some images to the captions ``rows`` ``[i, K]``: ``[i, K]`` on the CPU."""
    repeated = images.repeat_interleave(rows.shape[1])
    filled = captions.sizes[rows.flatten()] > 0
    distance = torch.full((rows.numel(),), torch.inf)
    images, texts = repeated[filled], rows.flatten()[filled]
    if len(texts):
        solved = solve_pairs(patches[images], captions.select(texts), settings)
        tally.add(solved)
        term = _global_terms(rows_of(globals_, images, texts))
        distance[filled] = combined(solved.linear, term, settings.global_weight).cpu()
    return distance.view(rows.shape)


def _global_terms(globals_: GlobalFeatures | None) -> Tensor | float:
    """``1 - cos`` ``[R]`` in float32 or wider."""
    if globals_ is None:
        return 0.0
    images = widen(globals_.images)
    return 1 - (images * globals_.texts.to(images)).sum(1)


def _close(distance: Tensor, slack: float) -> Tensor:
    """Finite distances within the slack of the least of their image, ``[i, K]`` bool."""
    if distance.shape[1] == 0:
        return distance.isfinite()
    return distance.isfinite() & (distance <= distance.amin(dim=1, keepdim=True) + slack)


def _lowest(image: Tensor, caption: Tensor, images: int) -> Tensor:
    """Lowest caption index of every image ``[images]``, -1 where it has none."""
    none = torch.iinfo(torch.int64).max
    lowest = torch.full((images,), none).scatter_reduce_(0, image, caption, "amin")
    return lowest.masked_fill_(lowest == none, -1)
