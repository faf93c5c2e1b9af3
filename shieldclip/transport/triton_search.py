"""Nearest captions with fused Triton kernels, on a GPU.

One product of matrices gives the cosines of a block; one kernel bounds every pair, one solves the
pairs that are left, each stopping by itself. What it finds is tested, in Triton's interpreter,
against `torch_search`, and the kernels compile for compute capability 9.0; **its speed has not
been measured on a GPU.**
"""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.iterations import exponent_limit
from shieldclip.transport.pairs import Solved, pair_distances, solve_costs
from shieldclip.transport.results import Nearest
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.streaming import BlockSize, stream

__all__ = ["pair_distances", "search"]

SIZE = BlockSize(images=256, entries=2**26)
"""256 MB of cosines, a few of the hundreds of thousands of pairs that keep a GPU busy."""


def search(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
    seeds: Tensor | None = None,
    size: BlockSize = SIZE,
) -> Nearest:
    """Exact nearest caption of every image, on the GPU that holds the patches.

    Arguments as `shieldclip.transport.torch_search.search`. Needs the package ``triton``, which
    comes with PyTorch for CUDA.
    """

    def open_block(some: Tensor, part: Bags) -> TritonBlock:
        return TritonBlock(some, part, settings)

    return stream(patches, captions, settings, globals_, seeds, open_block, size)


class TritonBlock:
    """Cosines of i images and all words of n captions, without padding."""

    def __init__(self, patches: Tensor, captions: Bags, settings: SearchSettings) -> None:
        self.settings, self.sizes = settings, captions.sizes
        words = captions.features.to(patches.device).float()
        self.offsets = captions.offsets.to(patches.device)
        self.cosines = patches.float() @ words.T  # [i, P, T]
        longest = int(captions.sizes.max()) if len(captions) else 0
        self.tile = {
            "tile_rows": _power_of_two(patches.shape[1]),
            "tile_columns": _power_of_two(longest),
        }
        self.launch = {"num_warps": _warps(self.tile["tile_rows"] * self.tile["tile_columns"])}

    def bounds(self) -> Tensor:
        """``[i, n]``, as `TorchBlock.bounds`."""
        from shieldclip.transport.triton_kernels import bounds_kernel

        images, patches, width = self.cosines.shape
        captions = len(self.offsets) - 1
        bounds = self.cosines.new_empty(images, captions)
        bounds_kernel[(bounds.numel(),)](
            self.cosines, self.offsets, bounds, captions, patches, width, **self.tile, **self.launch
        )
        return bounds

    def solve(self, images: Tensor, captions: Tensor) -> Solved:
        """The problems of R pairs, by their places in the block ``[R]``, ``[R]``."""
        from shieldclip.transport.triton_kernels import solve_kernel

        _, patches, width = self.cosines.shape
        linear = self.cosines.new_empty(len(images))
        error = torch.empty_like(linear)
        iterations = torch.empty_like(linear, dtype=torch.int32)
        solve_kernel[(len(images),)](
            self.cosines,
            self.offsets,
            images,
            captions,
            linear,
            error,
            iterations,
            patches,
            width,
            self.settings.epsilon,
            self.settings.tolerance,
            self.settings.max_iterations,
            exponent_limit(torch.float32),
            **self.tile,
            **self.launch,
        )
        solved = Solved(linear, error, iterations.long(), error <= self.settings.tolerance)
        return self._solve_deep(solved, images, captions)

    def _solve_deep(self, solved: Solved, images: Tensor, captions: Tensor) -> Solved:
        """Costs that spread too far for scalings, in the log domain."""
        deep = solved.error.isinf().nonzero().squeeze(1)
        if len(deep) == 0:
            return solved
        image, caption = images[deep], captions[deep]
        first, sizes = self.offsets[caption], self.sizes.to(image.device)[caption]
        place = torch.arange(int(sizes.max()), device=image.device)
        mask = place < sizes[:, None]  # [R, L]
        word = torch.where(mask, first[:, None] + place, first[:, None])
        cost = 1 - self.cosines[image[:, None], :, word].transpose(1, 2)  # [R, P, L]
        again = solve_costs(cost, mask, self.settings)
        for name, values in vars(again).items():
            getattr(solved, name)[deep] = values
        return solved


def _power_of_two(size: int) -> int:
    """Tile sides that Triton accepts."""
    return max(2, 1 << (size - 1).bit_length()) if size > 0 else 2


def _warps(entries: int) -> int:
    """About 16 entries of a tile in the registers of each lane."""
    return max(1, min(8, entries // 512))
