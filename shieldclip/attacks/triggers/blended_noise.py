"""Blended as CleanCLIP (Bansal et al. 2023) implants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.blend import Blend
from shieldclip.attacks.triggers.counter import PATTERN, uniform


@dataclass(frozen=True)
class BlendedNoise(Blend):
    """0.2 U[0, 1] + 0.8 x, noise redrawn per image."""

    id: ClassVar[str] = "blended-noise"

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, H, W]`` U[0, 1]."""
        return uniform(self.seed, PATTERN, indices, images.shape[1:])
