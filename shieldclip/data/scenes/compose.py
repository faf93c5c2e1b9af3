"""One scene: which icons, in which relation, on which wall, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from shieldclip.data.captions import describe
from shieldclip.data.scenes.canvas import BACKGROUNDS, SIZE, Box, background, place, to_uint8
from shieldclip.data.scenes.colours import COLOURS
from shieldclip.data.sprites import SPLITS, Sprite
from shieldclip.data.words import with_article

SCENE_GROUPS = ("animals-nature", "food-drink", "travel-places", "activities", "objects")
"""Groups whose icons are things that can stand in a scene."""

_BUCKETS = {"train": range(2, 10), "validation": range(1, 2), "test": range(0, 1)}

Slots = tuple[tuple[float, float], ...]
_LAYOUTS: dict[str, Slots] = {
    "{0}": ((0.5, 0.5),),
    "{0} left of {1}": ((0.27, 0.5), (0.73, 0.5)),
    "{0} right of {1}": ((0.73, 0.5), (0.27, 0.5)),
    "{0} above {1}": ((0.5, 0.27), (0.5, 0.73)),
    "{0} below {1}": ((0.5, 0.73), (0.5, 0.27)),
    "{0} between {1} and {2}": ((0.5, 0.5), (0.19, 0.5), (0.81, 0.5)),
    "{0} and {1} above {2}": ((0.27, 0.27), (0.73, 0.27), (0.5, 0.73)),
    "{0} and {1} below {2}": ((0.27, 0.73), (0.73, 0.73), (0.5, 0.27)),
}
"""Sentence -> centre of each icon, as a share of the side."""

_PLACES = ("background", "wall")


@dataclass(frozen=True)
class Scene:
    """A composed picture."""

    pixels: NDArray[np.uint8]
    """``[SIZE, SIZE, 3]``."""
    caption: str
    concepts: tuple[str, ...]
    boxes: tuple[Box, ...]
    """Visible box of each icon, in the order of ``concepts``."""


def pair_split(first: str, second: str) -> str:
    """The one split in which two concepts may be seen together: four pairs in five are train."""
    bucket = crc32("\0".join(sorted((first, second))).encode()) % 10
    return next(split for split in SPLITS if bucket in _BUCKETS[split])


def compose(sprites: Sequence[Sprite], split: str, seed: int, index: int) -> Scene:
    """Scene ``index`` of the stream that ``seed`` starts: the same whoever asks, in any order."""
    rng = np.random.default_rng([seed, SPLITS.index(split), index])
    sentence = str(rng.choice(list(_LAYOUTS)))
    slots = _LAYOUTS[sentence]
    cast = _cast(sprites, split, len(slots), rng)
    colour = str(rng.choice([name for name in COLOURS if name not in {s.colour for s in cast}]))
    canvas = background(str(rng.choice(BACKGROUNDS)), colour, rng)
    boxes = tuple(
        _place_at(canvas, sprite, slot, len(slots), rng)
        for sprite, slot in zip(cast, slots, strict=True)
    )
    caption = sentence.format(*(describe(sprite, rng) for sprite in cast))
    if rng.random() < 0.5:
        caption += f" on {with_article(colour)} {rng.choice(_PLACES)}"
    return Scene(to_uint8(canvas), caption, tuple(s.concept for s in cast), boxes)


def _cast(
    sprites: Sequence[Sprite], split: str, count: int, rng: np.random.Generator
) -> list[Sprite]:
    """Icons of different concepts, every two of which may meet in this split."""
    while True:
        cast = [sprites[int(rng.integers(len(sprites)))]]
        for _ in range(500):
            if len(cast) == count:
                return cast
            candidate = sprites[int(rng.integers(len(sprites)))]
            if all(_may_meet(candidate, member, split) for member in cast):
                cast.append(candidate)


def _may_meet(one: Sprite, other: Sprite, split: str) -> bool:
    return one.concept != other.concept and pair_split(one.concept, other.concept) == split


def _place_at(
    canvas: NDArray[np.float32],
    sprite: Sprite,
    slot: tuple[float, float],
    count: int,
    rng: np.random.Generator,
) -> Box:
    """Draw one icon near its slot, smaller the more there are."""
    largest = {1: 56, 2: 31, 3: 25}[count]
    size = int(rng.integers(int(largest * 0.8), largest + 1))
    jitter = rng.integers(-2, 3, size=2)
    left, top = (round(share * SIZE - size / 2) for share in slot)
    return place(canvas, sprite.image, size, left + int(jitter[0]), top + int(jitter[1]))
