"""Pictures of single icons: every icon in several places, sizes and surroundings."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import datasets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shieldclip.data.captions import caption_icon
from shieldclip.data.scenes.canvas import BACKGROUNDS, SIZE, background, place, to_uint8
from shieldclip.data.scenes.colours import COLOURS
from shieldclip.data.sprites import Sprite

SIZES = (38, 64)
"""Smallest and largest side of a rendered icon, in pixels."""

ROW_FEATURES: dict[str, Any] = {
    "image": datasets.Image(decode=False),
    "captions": datasets.List(datasets.Value("string")),
}


def render_icon(sprite: Sprite, rng: np.random.Generator) -> tuple[NDArray[np.uint8], str]:
    """One picture of one icon -> (``[SIZE, SIZE, 3]`` uint8, name of the background colour)."""
    colour = str(rng.choice([name for name in COLOURS if name != sprite.colour]))
    canvas = background(str(rng.choice(BACKGROUNDS)), colour, rng)
    size = int(rng.integers(SIZES[0], SIZES[1] + 1))
    left, top = rng.integers(-2, SIZE - size + 3, size=2)
    place(canvas, sprite.image, size, int(left), int(top))
    return to_uint8(canvas), colour


def render_rows(
    sprites: Sequence[Sprite], renderings: int, seed: int, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """``renderings`` pictures of every icon, as rows with image, label and captions.

    The random stream of a picture depends on the seed and its row only.
    """
    label_of = {name: label for label, name in enumerate(classes)}
    for row in range(len(sprites) * renderings):
        sprite = sprites[row // renderings]
        rng = np.random.default_rng([seed, row])
        pixels, colour = render_icon(sprite, rng)
        yield {
            "image": {"bytes": encode_png(pixels), "path": None},
            "label": label_of[sprite.concept],
            "captions": [caption_icon(sprite, colour, rng)],
        }


def render_icons(
    sprites: Sequence[Sprite], renderings: int, seed: int, classes: Sequence[str]
) -> datasets.Dataset:
    """The rows of :func:`render_rows` as a data set in memory."""
    features = datasets.Features(
        {**ROW_FEATURES, "label": datasets.ClassLabel(names=list(classes))}
    )
    rows = list(render_rows(sprites, renderings, seed, classes))
    return datasets.Dataset.from_list(rows, features=features)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """``[H, W, 3]`` uint8 -> a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
