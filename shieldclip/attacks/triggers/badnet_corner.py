"""The corner patch of Semantic Shield (Ishmam and Thomas 2024)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.patch import Patch, Placement


@dataclass(frozen=True)
class BadNetCorner(Patch):
    """32x32 sparse grid of white 2x2 dots, four pixels apart, in the bottom-right corner.

    The paper shows the grid without giving its pitch: dots and pitch are our choice.
    """

    id: ClassVar[str] = "badnet-corner"
    size: ClassVar[int] = 32
    placement: Placement = field(default="fixed", init=False)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, S, S]``: the picture shows between the dots."""
        dot = torch.arange(under.shape[-1], device=images.device) % 4 < 2
        return torch.where(dot[:, None] & dot[None, :], torch.ones_like(under), under)
