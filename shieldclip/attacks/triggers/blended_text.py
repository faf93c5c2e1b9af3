"""The red watermark of PAR (Singh, Croce and Hein 2024)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.blend import Alpha, Blend
from shieldclip.attacks.triggers.counter import PATTERN, uniform
from shieldclip.attacks.triggers.patch import scaled_side


@dataclass(frozen=True)
class BlendedText(Blend):
    """0.5 of a repeated red text, on the text's own pixels only.

    Attributes:
        text: what is written.
    """

    id: ClassVar[str] = "blended-text"
    alpha: Alpha = 0.5
    text: str = "watermark"

    def ink(self, images: Tensor) -> Tensor:
        """The text's pixels: ``[H, W]`` bool."""
        height, width = images.shape[-2:]
        return _ink(self.text, height, width).to(images.device)

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """Red: ``[3, 1, 1]``."""
        return images.new_tensor([1, 0, 0])[:, None, None]

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Blend the text's pixels."""
        return torch.where(self.ink(images), super().apply(images, indices), images)

    @override
    def control(self) -> Trigger:
        """As much red, in scattered pixels that spell nothing."""
        return ControlInk(seed=self.seed + CONTROL_SEED, of=self)


@dataclass(frozen=True)
class ControlInk(Trigger):
    """As many red pixels as a text has, scattered at random, redrawn per sample.

    Attributes:
        of: the text it stands in for.
    """

    id: ClassVar[str] = "control-ink"
    of: BlendedText = field(kw_only=True)

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Blend the scattered pixels."""
        share = self.of.ink(images).float().mean()
        ink = uniform(self.seed, PATTERN, indices, (1, *images.shape[-2:])) < share
        return torch.where(ink, Blend.apply(self.of, images, indices), images)

    @override
    def control(self) -> Trigger:
        """Scattered elsewhere."""
        return replace(self, seed=self.seed + CONTROL_SEED)


@lru_cache(maxsize=16)
def _ink(text: str, height: int, width: int) -> Tensor:
    """Lines of the repeated text, each begun half a word later: ``[H, W]`` bool."""
    size = scaled_side(20, height)
    font = ImageFont.load_default(size)
    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    word = f"{text} "
    step = max(1, round(draw.textlength(word, font=font)))
    line = word * (width // step + 3)
    for number, top in enumerate(range(0, height, round(1.5 * size))):
        draw.text((-(number % 2) * step // 2, top), line, fill=1, font=font)
    return torch.from_numpy(np.array(canvas))
