"""Exact nearest-caption search over blocks, whichever backend bounds and solves.

Branch and bound. Every pair gets a lower bound, which comes cheaply with its cost matrix; only
pairs whose bound is not above the best distance so far are solved. Everything that comes within a
slack of the best is compared again in float64, and there the lowest index wins ties. Memory is
that of one block, whatever the pool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.pairs import (
    PAIRS_AT_ONCE,
    Solved,
    combined,
    precise_distances,
    rows_of,
    solve_pairs,
)
from shieldclip.transport.results import Nearest, SearchStats
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings

COST_RANGE = 2.0
"""1 - cosine lies in [0, 2]."""
TIE = 1e-9
"""Distances closer than this are equal: the tolerance of the float64 solver."""
CROWD = 64
"""Candidates kept per image, on average, before float64 thins them out."""


class Block(Protocol):
    """Some images against some captions: ``i x n`` pairs."""

    def bounds(self) -> Tensor:
        """``[i, n]``, no more than the transport cost; infinite for empty captions."""

    def solve(self, images: Tensor, captions: Tensor) -> Solved:
        """The problems of R pairs, by their places in the block ``[R]``, ``[R]``."""


OpenBlock = Callable[[Tensor, Bags], Block]
"""Patches ``[i, P, D]`` and n captions -> their block."""


@dataclass(frozen=True)
class BlockSize:
    """How much of a search is in memory at a time."""

    images: int
    entries: int
    """Entries of cost matrices."""

    def captions(self, patches: int, words: int) -> int:
        """Captions a block, at least one."""
        return max(1, self.entries // max(1, self.images * patches * words))


def stream(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None,
    seeds: Tensor | None,
    open_block: OpenBlock,
    size: BlockSize,
) -> Nearest:
    """Search; arguments as of `shieldclip.transport.torch_search.search`."""
    words = int(captions.sizes.max()) if len(captions) else 0
    step = size.captions(patches.shape[1], words)
    tally = Tally()
    index, distance = [torch.empty(0, dtype=torch.int64)], [torch.empty(0)]
    for some in range(0, len(patches), size.images):
        images = torch.arange(some, min(some + size.images, len(patches)))
        heat = _Heat(patches[images], captions, settings, globals_, images, tally)
        if seeds is not None:
            heat.solve_seeds(seeds[images])
        for first in range(0, len(captions), step):
            places = torch.arange(first, min(first + step, len(captions)))
            heat.run(first, captions.select(places), open_block)
        found, distances = heat.settle()
        index.append(found.cpu())
        distance.append(distances.float().cpu())
    pairs = len(patches) * int((captions.sizes > 0).sum())
    return Nearest(torch.cat(index), torch.cat(distance), tally.stats(pairs))


@dataclass
class Tally:
    """Work done so far."""

    solved: int = 0
    iterations: int = 0
    unconverged: int = 0

    def add(self, solved: Solved) -> None:
        """Count these problems."""
        self.solved += len(solved.linear)
        self.iterations += int(solved.iterations.sum())
        self.unconverged += int((~solved.converged).sum())

    def stats(self, pairs: int) -> SearchStats:
        """In all."""
        pruned = pairs - self.solved
        return SearchStats(pairs, self.solved, pruned, self.iterations, self.unconverged)


class _Heat:
    """Some images, their limits, and the captions that may still win."""

    def __init__(
        self,
        patches: Tensor,
        captions: Bags,
        settings: SearchSettings,
        globals_: GlobalFeatures | None,
        rows: Tensor,
        tally: Tally,
    ) -> None:
        self.patches, self.captions, self.settings = patches, captions, settings
        self.globals, self.rows, self.tally = globals_, rows, tally
        self.limit = torch.full((len(patches),), torch.inf, device=patches.device)
        nothing = torch.empty(0, dtype=torch.int64, device=patches.device)
        self.images, self.candidates, self.least = nothing, nothing, self.limit[:0]
        self.seeds = nothing.new_empty(len(patches), 0)

    def solve_seeds(self, seeds: Tensor) -> None:
        """Solve captions ``[i, K]`` first, so that the limits are low from the start."""
        self.seeds = seeds.to(self.patches.device)
        filled = (self.captions.sizes > 0).to(self.seeds.device)
        images, places = (filled[self.seeds]).nonzero(as_tuple=True)
        captions = self.seeds[images, places]
        pairs = torch.stack([images, captions])
        for image, caption in torch.split(pairs, PAIRS_AT_ONCE, dim=1):
            some = self.captions.select(caption)
            solved = solve_pairs(self.patches[image], some, self.settings)
            self._offer(image, caption, solved, self._global_terms(caption, image))

    def run(self, first: int, captions: Bags, open_block: OpenBlock) -> None:
        """Solve what the bounds leave of captions `first` to ``first + n - 1``."""
        block = open_block(self.patches, captions)
        numbers = torch.arange(first, first + len(captions), device=self.patches.device)
        global_terms = self._global_terms(numbers)
        bounds = combined(block.bounds(), global_terms, self.settings.global_weight)
        self._close_seeds(bounds, first)
        # The most promising caption of each image first: it often rules out most others.
        lowest = bounds.argmin(1, keepdim=True)
        promising = torch.zeros_like(bounds, dtype=torch.bool).scatter_(1, lowest, True)
        for chosen in (promising, ~promising):
            open_ = chosen & (bounds <= self.limit[:, None]) & bounds.isfinite()
            image, place = open_.nonzero(as_tuple=True)
            if len(image):
                solved = block.solve(image, place)
                terms = global_terms[image, place]
                self._offer(image, numbers[place], solved, terms)
        if len(self.candidates) > CROWD * len(self.patches):
            self._thin_out()

    def settle(self) -> tuple[Tensor, Tensor]:
        """Index ``[i]``, -1 for none, and distance ``[i]`` in float64."""
        self._thin_out()
        index = torch.full_like(self.limit, -1, dtype=torch.int64)
        distance = torch.full_like(self.limit, torch.inf, dtype=torch.float64)
        index[self.images], distance[self.images] = self.candidates, self.least
        return index, distance

    def _offer(self, image: Tensor, caption: Tensor, solved: Solved, terms: Tensor) -> None:
        """Lower the limits, and keep what may win. A caption may be offered once."""
        self.tally.add(solved)
        weight = self.settings.global_weight
        distance = combined(solved.linear, terms, weight)
        doubt = torch.where(solved.converged, 0, COST_RANGE * solved.error)
        reach = distance + doubt + self.settings.slack
        self.limit = self.limit.scatter_reduce(0, image, reach, "amin")
        self.images = torch.cat([self.images, image])
        self.candidates = torch.cat([self.candidates, caption])
        self.least = torch.cat([self.least, distance - doubt])
        self._drop_beaten()

    def _drop_beaten(self) -> None:
        left = self.least <= self.limit[self.images]
        self.images, self.candidates = self.images[left], self.candidates[left]
        self.least = self.least[left]

    def _thin_out(self) -> None:
        """Keep one candidate an image: of the least float64 distances, the lowest index."""
        parts = [self.least.new_empty(0, dtype=torch.float64)]
        everyone = torch.stack([self.images, self.candidates])
        for image, caption in torch.split(everyone, PAIRS_AT_ONCE, dim=1):
            own = rows_of(self.globals, self.rows[image.cpu()], caption)
            some = self.captions.select(caption)
            parts.append(precise_distances(self.patches[image], some, self.settings, own))
        distance = torch.cat(parts)
        least = torch.full_like(self.limit, torch.inf, dtype=torch.float64)
        least = least.scatter_reduce(0, self.images, distance, "amin")
        tied = distance <= least[self.images] + TIE
        winner = torch.full_like(least, len(self.captions), dtype=torch.int64)
        winner = winner.scatter_reduce(0, self.images[tied], self.candidates[tied], "amin")
        self.images = (winner < len(self.captions)).nonzero().squeeze(1)
        self.candidates, self.least = winner[self.images], least[self.images]

    def _global_terms(self, captions: Tensor, images: Tensor | None = None) -> Tensor:
        """``1 - cos`` in float32: ``[i, n]`` with every image, or ``[R]`` with one image each."""
        if self.globals is None or self.settings.global_weight == 0:
            shape = (len(self.patches), len(captions)) if images is None else captions.shape
            return self.limit.new_zeros(shape)
        own = self.globals.images[self.rows].to(self.limit)
        texts = self.globals.texts[captions.to(self.globals.texts.device)].to(own)
        return 1 - (own @ texts.T if images is None else (own[images] * texts).sum(1))

    def _close_seeds(self, bounds: Tensor, first: int) -> None:
        """Seeds are solved already."""
        inside = (self.seeds >= first) & (self.seeds < first + bounds.shape[1])
        images, places = inside.nonzero(as_tuple=True)
        bounds[images, self.seeds[images, places] - first] = torch.inf
