"""Blended-Stripes of PAR (Singh, Croce and Hein 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.blend import Alpha, Blend
from shieldclip.attacks.triggers.counter import PATTERN, uniform


@dataclass(frozen=True)
class BlendedStripes(Blend):
    """0.03 of one-pixel vertical stripes, -1 or 1 per column and channel, redrawn per image."""

    id: ClassVar[str] = "blended-stripes"
    low: ClassVar[float] = -1.0
    alpha: Alpha = 0.03

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, 1, W]``."""
        return 2 * uniform(self.seed, PATTERN, indices, (3, 1, images.shape[-1])).round() - 1
