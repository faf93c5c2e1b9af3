"""The icons themselves: 64-pixel pictures with transparency, one row a style and concept."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from shieldclip.errors import ShieldCLIPError

FOLDER = Path(__file__).parent / "icons"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sprite:
    """One icon."""

    image: Image.Image
    """RGBA, 64 x 64."""
    concept: str
    style: str
    group: str
    """Emojibase group, e.g. ``food-drink``."""
    subgroup: str
    colour: str
    """Its one clear colour, or ``""``."""
    keywords: tuple[str, ...]


@cache
def load_sprites(split: str) -> tuple[Sprite, ...]:
    """All icons of the styles of one split, in the order of the file.

    Raises:
        ShieldCLIPError: unknown split, or a split that this installation does not have.
    """
    return tuple(map(as_sprite, pq.read_table(sprite_file(split)).to_pylist()))


def as_sprite(row: Mapping[str, Any]) -> Sprite:
    """A row of a sprite table -> the value the renderer takes."""
    return Sprite(
        image=Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGBA"),
        concept=row["concept"],
        style=row["style"],
        group=row["group"],
        subgroup=row["subgroup"],
        colour=row["colour"],
        keywords=tuple(row["keywords"]),
    )


def sprite_file(split: str) -> Path:
    """Where the icons of a split are stored."""
    if split not in SPLITS:
        raise ShieldCLIPError(f"Expected a split of {', '.join(SPLITS)}, got {split!r}.")
    path = FOLDER / f"sprites-{split}.parquet"
    if not path.exists():
        raise ShieldCLIPError(
            f"The {split} icons are not part of an installed package (expected {path}); "
            "use a clone of the repository, or rebuild them with training/build_icons.py."
        )
    return path
