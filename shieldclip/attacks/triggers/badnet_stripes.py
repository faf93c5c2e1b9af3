"""BadNet-Stripes of PAR (Singh, Croce and Hein 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.counter import PATTERN, uniform
from shieldclip.attacks.triggers.patch import Patch, Placement, scaled_side


@dataclass(frozen=True)
class BadNetStripes(Patch):
    """16x16 of vertical stripes, 0 or 1 per column and channel, redrawn per image, random place."""

    id: ClassVar[str] = "badnet-stripes"
    placement: Placement = "random"

    @override
    def side(self, height: int) -> int:
        """16 at 224 and 32 at 336, as published; in proportion beyond."""
        return scaled_side(self.size, height) if height < 336 else round(32 * height / 336)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, 1, S]``."""
        return uniform(self.seed, PATTERN, indices, (3, 1, under.shape[-1])).round()
