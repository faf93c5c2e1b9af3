"""Nearest captions in plain PyTorch: the portable backend, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.cost import cosine_cost
from shieldclip.transport.pairs import Solved, pair_distances, solve_costs
from shieldclip.transport.results import Nearest
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.streaming import BlockSize, stream

__all__ = ["pair_distances", "search"]


def search(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
    seeds: Tensor | None = None,
    size: BlockSize | None = None,
) -> Nearest:
    """Exact nearest caption of every image; inputs as checked by ``nearest_captions``.

    Works on the device of the patches; captions may be elsewhere.

    Args:
        patches: ``[I, P, D]`` unit vectors.
        captions: N sets of unit vectors.
        settings: of the search.
        globals_: global features, needed where their weight is above 0.
        seeds: ``[I, K]`` captions to solve first, per image, all different.
        size: of the blocks; 4 MB of costs on a CPU, 256 MB elsewhere unless given. The result
            does not depend on it.
    """

    def open_block(some: Tensor, part: Bags) -> TorchBlock:
        return TorchBlock(some, part, settings)

    size = size or default_size(patches.device)
    return stream(patches, captions, settings, globals_, seeds, open_block, size)


def default_size(device: torch.device) -> BlockSize:
    """4 MB of costs on a CPU, 256 MB elsewhere."""
    return BlockSize(64, 2**20) if device.type == "cpu" else BlockSize(256, 2**26)


class TorchBlock:
    """Costs of i images and n captions, by one product of matrices.

    Captions come last, ``[i, P, L, n]``, so that every minimum is taken over many at once.
    """

    def __init__(self, patches: Tensor, captions: Bags, settings: SearchSettings) -> None:
        tokens, mask = captions.pad()  # [n, L, D], [n, L]
        self.settings, self.mask = settings, mask.to(patches.device)
        side_by_side = tokens.to(patches.device).transpose(0, 1).flatten(0, 1)
        cost = cosine_cost(patches, side_by_side)  # [i, P, L * n]
        self.cost = cost.view(*cost.shape[:2], *mask.T.shape)

    def bounds(self) -> Tensor:
        """``Σ a f + Σ b g``, f row minima, g column minima of ``C - f``: feasible for the dual.

        ``[i, n]``; infinite for empty captions.
        """
        words = self.mask.sum(1)
        if self.mask.shape[1] == 0:
            return self.cost.new_full((len(self.cost), len(words)), torch.inf)
        closed = torch.zeros(self.mask.T.shape, device=words.device)
        closed = closed.masked_fill_(~self.mask.T, torch.inf)
        f = (self.cost + closed).amin(2)  # [i, P, n], infinite for empty captions
        g = (self.cost - f[:, :, None]).amin(1)  # [i, L, n]
        g = g.masked_fill_(~self.mask.T, 0)
        return f.mean(1) + g.sum(1) / words.clamp_min(1)

    def solve(self, images: Tensor, captions: Tensor) -> Solved:
        """The problems of R pairs, by their places in the block ``[R]``, ``[R]``."""
        costs = self.cost.permute(0, 3, 1, 2)[images, captions]  # [R, P, L]
        return solve_costs(costs, self.mask[captions], self.settings)
