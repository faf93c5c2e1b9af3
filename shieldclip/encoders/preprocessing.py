"""From a picture to the square of pixels a model sees, exactly as its own processor does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

_WHITE = (255, 255, 255, 255)


@dataclass(frozen=True)
class Preprocessing:
    """Resize and crop of one checkpoint, and the statistics its pixels are normalised with."""

    resize: int
    """Length in pixels of the shorter edge (``shortest``) or of both edges (``squash``)."""
    mode: Literal["shortest", "squash"]
    resample: Image.Resampling
    crop: int
    """Side of the central crop, not above ``resize``."""
    crop_rounding: Literal["floor", "half-even"]
    """How an odd margin is split: transformers takes the floor, torchvision rounds half to even."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def identity(self) -> str:
        """Names resize and crop: equal strings produce equal pixels from equal pictures."""
        resample = self.resample.name.lower()
        resized = f"{self.mode} {self.resize} {resample}"
        if self.mode == "squash" and self.crop == self.resize:
            return resized
        return f"{resized}, crop {self.crop} {self.crop_rounding}"

    def __call__(self, image: Image.Image) -> Tensor:
        """One picture of any mode -> ``[3, S, S]`` uint8; transparency is laid on white."""
        resized = self._resize(to_rgb(image))
        left = self._margin(resized.width)
        top = self._margin(resized.height)
        square = resized.crop((left, top, left + self.crop, top + self.crop))
        return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()

    def _resize(self, image: Image.Image) -> Image.Image:
        if self.mode == "squash":
            return image.resize((self.resize, self.resize), self.resample)
        short = min(image.size)
        # The short edge must not go through the division, which may round it down by one.
        width, height = (
            self.resize if edge == short else int(self.resize * edge / short) for edge in image.size
        )
        return image.resize((width, height), self.resample)

    def _margin(self, length: int) -> int:
        spare = length - self.crop
        return spare // 2 if self.crop_rounding == "floor" else round(spare / 2)


def three(values: Iterable[float]) -> tuple[float, float, float]:
    """One value per colour channel."""
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, transparent parts on white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), layered).convert("RGB")
    return image.convert("RGB")
