"""Sets of vectors of different sizes, packed without padding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, eq=False)
class Bags:
    """N sets of unit vectors, e.g. the word features of N captions, every vector of equal weight.

    A set may be empty: its distance to anything is infinite.

    Attributes:
        features: ``[S, D]``, the vectors of all sets, one set after the other.
        offsets: ``[N + 1]`` int64 on the CPU; set n is ``features[offsets[n]:offsets[n + 1]]``.

    Raises:
        ShieldCLIPError: if the offsets do not run from 0 to S without falling.
    """

    features: Tensor
    offsets: Tensor

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise ShieldCLIPError(
                f"Expected bag features of shape [S, D], got {tuple(self.features.shape)}; "
                "pack padded features with Bags.pack(features, mask)."
            )
        offsets = self.offsets
        if offsets.ndim != 1 or offsets.dtype != torch.int64 or offsets.device.type != "cpu":
            raise ShieldCLIPError(
                f"Expected bag offsets [N + 1] of int64 on the CPU, got {tuple(offsets.shape)} of "
                f"{offsets.dtype} on {offsets.device}; use Bags.pack(features, mask)."
            )
        if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(self.features):
            raise ShieldCLIPError(
                f"Expected bag offsets from 0 to the {len(self.features)} feature rows, got "
                f"{offsets[[0, -1]].tolist() if len(offsets) else 'none'}; "
                "the last offset is the total."
            )
        if (offsets.diff() < 0).any():
            row = int((offsets.diff() < 0).nonzero()[0])
            raise ShieldCLIPError(
                f"Expected bag offsets that never fall, got a fall after set {row}; "
                "offsets are the running total of the set sizes."
            )

    @staticmethod
    def pack(features: Tensor, mask: Tensor) -> Bags:
        """Drop the padding: features ``[N, L, D]`` where mask ``[N, L]`` (bool) is true.

        Raises:
            ShieldCLIPError: if the shapes do not agree.
        """
        if features.ndim != 3 or mask.shape != features.shape[:2]:
            raise ShieldCLIPError(
                f"Expected features [N, L, D] and mask [N, L], got {tuple(features.shape)} and "
                f"{tuple(mask.shape)}; the mask says which of the L places are filled."
            )
        sizes = mask.sum(dim=1).cpu()
        return Bags(features[mask.bool()], _offsets(sizes))

    def pad(self) -> tuple[Tensor, Tensor]:
        """The inverse of :meth:`pack`: zero-padded ``[N, L, D]`` and mask ``[N, L]``."""
        sizes = self.sizes
        longest = int(sizes.max()) if len(self) else 0
        mask = (torch.arange(longest) < sizes[:, None]).to(self.features.device)
        padded = self.features.new_zeros(len(self), longest, self.features.shape[1])
        padded[mask] = self.features
        return padded, mask

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> Tensor:
        """Vectors per set, ``[N]`` int64 on the CPU."""
        return self.offsets.diff()

    def select(self, rows: Tensor) -> Bags:
        """The sets of these indices ``[R]`` (int64), in this order; repeats are allowed."""
        rows = rows.cpu()
        sizes = self.sizes[rows]
        offsets = _offsets(sizes)
        start = torch.repeat_interleave(self.offsets[rows] - offsets[:-1], sizes)
        places = start + torch.arange(int(offsets[-1]))
        return Bags(self.features[places.to(self.features.device)], offsets)


def _offsets(sizes: Tensor) -> Tensor:
    """Running total of ``[N]`` sizes with a leading zero -> ``[N + 1]`` int64."""
    return torch.nn.functional.pad(sizes.to(torch.int64).cumsum(0), (1, 0))
