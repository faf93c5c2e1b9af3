"""Blends: a pattern shines through the whole image (Chen et al. 2017)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, uniform

Alpha = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class Blend(Trigger):
    """``alpha * pattern + (1 - alpha) * image``.

    Attributes:
        alpha: share of the pattern, in ``(0, 1]``.
    """

    low: ClassVar[float] = 0.0
    """Smallest value of the pattern; its largest is 1."""

    alpha: Alpha = 0.2

    @abstractmethod
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, H, W]`` in ``[low, 1]``, or broadcastable to it."""

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Blend every pixel."""
        pattern = self.pattern(images, indices).to(images)
        return self.alpha * pattern + (1 - self.alpha) * images

    @override
    def control(self) -> Trigger:
        """Random colour blocks, which are neither noise nor stripes, of the same strength."""
        return ControlBlend(seed=self.seed + CONTROL_SEED, alpha=self.alpha, of=self)


@dataclass(frozen=True)
class ControlBlend(Blend):
    """8x8 blocks of random colour, redrawn per sample, at another blend's alpha and range.

    Attributes:
        of: the blend it stands in for.
    """

    id: ClassVar[str] = "control-blend"
    of: Blend = field(kw_only=True)

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, H, W]``."""
        blocks = uniform(self.seed, PATTERN, indices, (3, 8, 8))
        levels = self.of.low + (1 - self.of.low) * blocks
        return F.interpolate(levels, size=images.shape[-2:], mode="nearest")
