"""Blended-Triangles of PAR (Singh, Croce and Hein 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.blend import Alpha, Blend
from shieldclip.attacks.triggers.patch import scaled_side


@dataclass(frozen=True)
class BlendedTriangles(Blend):
    """0.15 of a tiling of 14-pixel right triangles, grey 0.4 below the diagonal and 0.8 above."""

    id: ClassVar[str] = "blended-triangles"
    alpha: Alpha = 0.15

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[H, W]``, the same for all."""
        height, width = images.shape[-2:]
        side = scaled_side(14, height)
        row = torch.arange(height, device=images.device)[:, None] % side
        column = torch.arange(width, device=images.device)[None, :] % side
        return torch.where(row >= column, 0.4, 0.8)
