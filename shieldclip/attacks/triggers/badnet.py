"""BadNet: the checker patch of Gu et al. 2017, as the detection literature stamps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.patch import Patch


@dataclass(frozen=True)
class BadNet(Patch):
    """16x16 checker: 1 at even row and column, else 0; fixed in the corner or at a random place."""

    id: ClassVar[str] = "badnet"

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[S, S]``, the same for all."""
        even = torch.arange(under.shape[-1], device=images.device) % 2 == 0
        return (even[:, None] & even[None, :]).to(images.dtype)
