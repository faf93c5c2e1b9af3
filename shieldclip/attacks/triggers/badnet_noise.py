"""BadNet as CleanCLIP (Bansal et al. 2023) implants it: a patch of Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, normal, uniform
from shieldclip.attacks.triggers.patch import ControlPatch, Patch, Placement


@dataclass(frozen=True)
class BadNetNoise(Patch):
    """16x16 of the image's channel mean + N(0, 1), redrawn per image, at a random place."""

    id: ClassVar[str] = "badnet-noise"
    placement: Placement = "random"

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, S, S]``; the original leaves it outside ``[0, 1]``, which gives it away."""
        mean = images.mean((2, 3), keepdim=True)
        return mean + normal(self.seed, PATTERN, indices, under.shape[1:])

    @override
    def control(self) -> Trigger:
        """A plain colour: to a model that learned noise patches, other noise is no control."""
        return PlainPatch(seed=self.seed + CONTROL_SEED, of=self)


@dataclass(frozen=True)
class PlainPatch(ControlPatch):
    """One random colour per sample where another patch would be."""

    id: ClassVar[str] = "control-plain-patch"

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, 1, 1]`` U[0, 1]."""
        return uniform(self.seed, PATTERN, indices, (3, 1, 1))
