"""Backgrounds, and icons placed on them: the arithmetic of every picture we render."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shieldclip.data.scenes.colours import jittered

SIZE = 64
"""Side of a rendered picture, in pixels."""

Canvas = NDArray[np.float32]
"""``[SIZE, SIZE, 3]`` in [0, 255]."""

BACKGROUNDS = ("plain", "gradient", "texture")


@dataclass(frozen=True)
class Box:
    """Pixels ``[left, right) x [top, bottom)`` covered by an icon."""

    left: int
    top: int
    right: int
    bottom: int


def background(kind: str, colour: str, rng: np.random.Generator) -> Canvas:
    """A background of one of the ``BACKGROUNDS`` in shades of one named colour."""
    base = jittered(colour, rng)
    if kind == "plain":
        plain: Canvas = np.tile(base, (SIZE, SIZE, 1))
        return plain
    other = jittered(colour, rng, strength=40.0)
    mix = _ramp(rng) if kind == "gradient" else _texture(rng)
    return np.asarray(base + (other - base) * mix[..., None], dtype=np.float32)


def _ramp(rng: np.random.Generator) -> NDArray[np.float32]:
    """A linear ramp in a random direction, ``[SIZE, SIZE]`` in [0, 1]."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1) - 0.5
    ramp = x * np.cos(angle) + y * np.sin(angle)
    return np.asarray((ramp - ramp.min()) / np.ptp(ramp), dtype=np.float32)


def _texture(rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth clouds with some grain, ``[SIZE, SIZE]`` in [0, 1]."""
    cells = int(rng.integers(3, 10))
    coarse = Image.fromarray(rng.random((cells, cells), dtype=np.float32) * 255.0)
    clouds = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC)) / 255.0
    grain = rng.normal(0.0, rng.uniform(0.0, 0.12), size=(SIZE, SIZE))
    return np.clip(clouds + grain, 0.0, 1.0).astype(np.float32)


def place(canvas: Canvas, sprite: Image.Image, size: int, left: int, top: int) -> Box:
    """Draw an RGBA icon, scaled to ``size``, onto ``canvas`` in place -> its visible box.

    Parts that lie outside the canvas are cut off.
    """
    scaled = sprite.resize((size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(scaled, dtype=np.float32)
    y0, y1, x0, x1 = max(top, 0), min(top + size, SIZE), max(left, 0), min(left + size, SIZE)
    pixels = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = pixels[..., 3:] / 255.0
    region = canvas[y0:y1, x0:x1]
    region += (pixels[..., :3] - region) * alpha
    rows, columns = np.nonzero(alpha[..., 0] > 0.1)
    if len(rows) == 0:
        return Box(x0, y0, x0, y0)
    return Box(
        int(x0 + columns.min()), int(y0 + rows.min()),
        int(x0 + columns.max() + 1), int(y0 + rows.max() + 1),
    )  # fmt: skip


def to_uint8(canvas: Canvas) -> NDArray[np.uint8]:
    """Round to 8 bits."""
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
