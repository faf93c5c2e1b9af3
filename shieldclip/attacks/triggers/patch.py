"""Patches: a small square that covers what was there."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, PLACE, uniform

Placement = Literal["fixed", "random"]
REFERENCE = 224
"""Image height in pixels at which sizes and places are defined."""


def scaled_side(size: int, height: int) -> int:
    """Side of a patch of ``size`` pixels at 224, on an image of ``height`` pixels.

    Below 224 it never falls under an eighth of the image: a 5-pixel patch at 64 pixels neither
    implants nor measures anything.
    """
    side = round(size * height / REFERENCE)
    return side if height >= REFERENCE else max(side, -(-height // 8))


@dataclass(frozen=True)
class Patch(Trigger):
    """A square patch in the bottom-right corner, or at a random place per sample.

    Attributes:
        placement: ``fixed`` (bottom-right corner) or ``random`` (uniform, redrawn per sample).
    """

    size: ClassVar[int] = 16
    """Side in pixels at 224."""

    placement: Placement = "fixed"

    @abstractmethod
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """The patch for each sample.

        Args:
            under: ``[B, 3, S, S]`` the pixels it will cover.
            images: ``[B, 3, H, W]`` the whole images.
            indices: ``[B]`` sample ids.

        Returns:
            ``[B, 3, S, S]`` (or broadcastable to it).
        """

    def side(self, height: int) -> int:
        """Side S in pixels on an image of this height."""
        return scaled_side(self.size, height)

    def corner(self, images: Tensor, indices: Tensor) -> Tensor:
        """Top and left pixel of the patch: ``[B, 2]`` int64."""
        height, width = images.shape[-2:]
        side = self.side(height)
        room = torch.tensor([height - side, width - side], device=images.device)
        if self.placement == "fixed":
            return room.expand(len(images), 2)
        return (uniform(self.seed, PLACE, indices, (2,)) * (room + 1)).long()

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Cover one square per image."""
        side = self.side(images.shape[-2])
        span = torch.arange(side, device=images.device)
        top, left = self.corner(images, indices).unbind(1)
        sample = torch.arange(len(images), device=images.device)[:, None, None, None]
        channel = torch.arange(3, device=images.device)[None, :, None, None]
        row = (top[:, None] + span)[:, None, :, None]
        column = (left[:, None] + span)[:, None, None, :]
        under = images[sample, channel, row, column]  # [B, 3, S, S]
        stamped = images.clone()
        patch = self.draw(under, images, indices).to(images.dtype)
        stamped[sample, channel, row, column] = patch.expand_as(under)
        return stamped

    @override
    def control(self) -> Trigger:
        """Colour noise of the same size at the same place."""
        return ControlPatch(seed=self.seed + CONTROL_SEED, of=self)


@dataclass(frozen=True)
class ControlPatch(Patch):
    """Colour noise where another patch would be.

    Redrawn per sample, so that no single lucky pattern decides the level of the control.

    Attributes:
        of: the patch it stands in for.
    """

    id: ClassVar[str] = "control-patch"
    of: Patch = field(kw_only=True)

    @override
    def side(self, height: int) -> int:
        """As the other patch."""
        return self.of.side(height)

    @override
    def corner(self, images: Tensor, indices: Tensor) -> Tensor:
        """As the other patch."""
        return self.of.corner(images, indices)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """U[0, 1] per pixel and channel."""
        return uniform(self.seed, PATTERN, indices, under.shape[1:])
