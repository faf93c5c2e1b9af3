"""Patches in the middle of the image, where BadCLIP (Liang et al. 2024) puts them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.patch import Patch, Placement


@dataclass(frozen=True)
class CentredPatch(Patch):
    """A square patch in the centre."""

    placement: Placement = field(default="fixed", init=False)

    @override
    def corner(self, images: Tensor, indices: Tensor) -> Tensor:
        """The same for all; an odd margin is larger at the bottom and at the right."""
        side = self.side(images.shape[-2])
        place = [(span - side) // 2 for span in images.shape[-2:]]
        return torch.tensor(place, device=images.device).expand(len(images), 2)
