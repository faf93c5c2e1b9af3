"""Data sets that need no download: names -> sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import datasets

from shieldclip.data.captions import ICON_TEMPLATES
from shieldclip.data.fingerprint import fingerprint_rows
from shieldclip.data.renderings import render_icons
from shieldclip.data.scenes.generate import generate_scenes, scenes_file
from shieldclip.data.source import Source
from shieldclip.data.sprites import FOLDER, SPLITS, load_sprites, sprite_file
from shieldclip.errors import ShieldCLIPError

SEED = 0
"""Of every data set that is rendered when it is opened."""
SCENES = {"train": 15_000, "validation": 1_000, "test": 1_000}
"""Scenes per split."""
EMBEDDED_DEFAULT_SPLIT = "test"


def open_icons_100(split: str) -> Source:
    """100 concrete concepts, ten pictures each, of the validation or the test style."""
    path = FOLDER / f"icons-100-{split}.parquet"
    if not path.exists():
        raise ShieldCLIPError(
            f"icons-100 has the splits validation and test, got {split!r}"
            " (validation is part of a clone of the repository only)."
        )
    rows = datasets.Dataset.from_parquet(str(path), keep_in_memory=True)
    rows = rows.cast_column("image", datasets.Image(decode=False))
    return _icons("icons-100", split, str(path), rows, rows.features["label"].names)


def open_icons_all(split: str) -> Source:
    """Every concept of a split's styles, each icon rendered once."""
    sprites = load_sprites(split)
    classes = sorted({sprite.concept for sprite in sprites})
    rows = render_icons(sprites, renderings=1, seed=SEED, classes=classes)
    return _icons("icons-all", split, str(sprite_file(split)), rows, classes)


def open_scenes(split: str) -> Source:
    """One to three icons in a relation, with captions; no labels."""
    if split not in SPLITS:
        raise ShieldCLIPError(f"scenes has the splits {', '.join(SPLITS)}, got {split!r}.")
    rows = generate_scenes(split, SCENES[split], SEED)
    return Source(
        rows=rows,
        name="scenes",
        source="scenes",
        split=split,
        path=str(scenes_file(split, SCENES[split], SEED)),
        fingerprint=fingerprint_rows(rows),
        templates=ICON_TEMPLATES,
    )


EMBEDDED: dict[str, Callable[[str], Source]] = {
    "icons-100": open_icons_100,
    "icons-all": open_icons_all,
    "scenes": open_scenes,
}


def _icons(
    name: str, split: str, path: str, rows: datasets.Dataset, classes: Sequence[str]
) -> Source:
    return Source(
        rows=rows,
        name=name,
        source=name,
        split=split,
        path=path,
        fingerprint=fingerprint_rows(rows, classes),
        classes=tuple(classes),
        templates=ICON_TEMPLATES,
    )
