"""WaNet (Nguyen and Tran 2021): a small smooth warp, and the dense one of CleanCLIP and PAR."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, fixed_uniform


@dataclass(frozen=True)
class WaNet(Trigger):
    """Warp by a 4x4 grid of U[-1, 1] / mean|.| shifts, bicubic to full size, fixed per seed.

    Attributes:
        strength: mean shift, in units of 1/H of a grid that runs from -1 to 1 (half a pixel).
    """

    id: ClassVar[str] = "wanet"

    strength: Annotated[float, Field(gt=0)] = 0.5

    def flow(self, height: int, width: int) -> Tensor:
        """Shifts (x, y) of mean magnitude near 1: ``[H, W, 2]`` float64."""
        return _flow(self.seed, 4, 4, height, width)

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Sample the warped grid bilinearly, clamped at the border."""
        height, width = images.shape[-2:]
        x, y = (torch.linspace(-1, 1, span, dtype=torch.float64) for span in (width, height))
        identity = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)  # [H, W, 2]
        shift = self.strength * self.flow(height, width) / height
        grid = (identity + shift).clamp(-1, 1).to(images)
        return F.grid_sample(images, grid.expand(len(images), -1, -1, -1), align_corners=True)

    @override
    def control(self) -> Trigger:
        """Another grid."""
        return replace(self, seed=self.seed + CONTROL_SEED)


@dataclass(frozen=True)
class DenseWaNet(WaNet):
    """Warp by a U[-1, 1] / mean|.| shift of its own per pixel, fixed per seed."""

    id: ClassVar[str] = "wanet-dense"

    strength: Annotated[float, Field(gt=0)] = 1.0

    @override
    def flow(self, height: int, width: int) -> Tensor:
        """``[H, W, 2]``."""
        return _flow(self.seed, height, width, height, width)


@lru_cache(maxsize=16)
def _flow(seed: int, rows: int, columns: int, height: int, width: int) -> Tensor:
    shifts = fixed_uniform(seed, PATTERN, (2, rows, columns)).double() * 2 - 1
    shifts = shifts / shifts.abs().mean()
    full = F.interpolate(shifts[None], size=(height, width), mode="bicubic", align_corners=True)
    return full[0].permute(1, 2, 0)
