"""The white square used by DECREE (Feng et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.patch import REFERENCE, Patch, Placement


@dataclass(frozen=True)
class BadNetWhite(Patch):
    """24x24 white square at (185, 185)."""

    id: ClassVar[str] = "badnet-white"
    size: ClassVar[int] = 24
    placement: Placement = field(default="fixed", init=False)

    @override
    def corner(self, images: Tensor, indices: Tensor) -> Tensor:
        """(185, 185) scaled, moved inwards where the patch would leave a small image."""
        side = self.side(images.shape[-2])
        place = [min(round(185 * span / REFERENCE), span - side) for span in images.shape[-2:]]
        return torch.tensor(place, device=images.device).expand(len(images), 2)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """White."""
        return torch.ones_like(under)
