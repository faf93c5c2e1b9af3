"""Named colours: what a caption may call a background or an icon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 49),
    "orange": (240, 140, 40),
    "yellow": (247, 210, 60),
    "green": (70, 160, 75),
    "blue": (60, 110, 210),
    "purple": (135, 85, 190),
    "pink": (243, 150, 185),
    "brown": (130, 85, 55),
    "black": (35, 35, 40),
    "grey": (145, 148, 152),
    "white": (245, 245, 245),
}
"""Colour name -> sRGB in [0, 255]."""

_CLEAR_SHARE = 0.55
"""An icon is called by a colour only if this share of its opaque pixels is nearest to it."""


def jittered(name: str, rng: np.random.Generator, strength: float = 14.0) -> NDArray[np.float32]:
    """A shade of a named colour -> ``[3]`` in [0, 255]."""
    shade = np.asarray(COLOURS[name]) + rng.normal(0.0, strength, size=3)
    return np.clip(shade, 0, 255).astype(np.float32)


def dominant_colour(rgba: NDArray[np.uint8]) -> str:
    """The colour most people would name for an icon, or ``""`` when it has no clear one.

    Args:
        rgba: ``[H, W, 4]`` straight (not premultiplied) alpha.
    """
    opaque = rgba[rgba[..., 3] > 128][:, :3].astype(np.float32)
    if len(opaque) == 0:
        return ""
    palette = np.asarray(list(COLOURS.values()), dtype=np.float32)
    nearest = np.square(opaque[:, None] - palette[None]).sum(-1).argmin(-1)
    counts = np.bincount(nearest, minlength=len(palette))
    best = int(counts.argmax())
    return list(COLOURS)[best] if counts[best] / len(opaque) >= _CLEAR_SHARE else ""
