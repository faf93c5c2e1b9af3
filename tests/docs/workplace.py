"""A folder in which the commands of the pages find what they name, as small as it can be."""

from __future__ import annotations

import csv
from pathlib import Path

import datasets
import numpy as np
from blocks import ROOT
from PIL import Image

ZOO = ROOT / "shieldclip" / "zoo"
COLOURS = {"cat": (120, 110, 100), "dog": (150, 90, 40), "cup": (40, 90, 200)}
PICTURES = 18
PHOTOS = 64
"""A batch of the recipe `own-pictures`."""


def furnish(folder: Path) -> None:
    """Pictures by class, pictures with captions, and models under the names that pages use."""
    _write_classes(folder / "pictures")
    _write_table(folder / "photos" / "captions.csv", PHOTOS, ("file_name", "caption", "label"))
    _write_table(folder / "pairs" / "metadata.csv", PICTURES, ("file_name", "caption"))
    numbers = range(PICTURES)
    columns = {"image": [*map(picture, numbers)], "caption": [*map(caption, numbers)]}
    pairs = datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image())
    pairs.to_parquet(str(folder / "pairs.parquet"))
    (folder / "org").mkdir()
    for name in ("checkpoint", "trusted", "org/name"):
        (folder / name).symlink_to(ZOO / "icons-clean")
    (folder / "model_cards").symlink_to(ROOT / "model_cards")


def kind(number: int) -> str:
    """What a picture shows."""
    return list(COLOURS)[number % len(COLOURS)]


def caption(number: int) -> str:
    """Different for every picture."""
    return f"{kind(number)} number {number} on a table"


def picture(number: int) -> Image.Image:
    """A square of the kind's colour on noise, 64 x 64."""
    pixels = np.random.default_rng(number).integers(200, 256, (64, 64, 3), dtype=np.uint8)
    pixels[16:48, 16:48] = COLOURS[kind(number)]
    return Image.fromarray(pixels)


def _write_classes(folder: Path) -> None:
    for number in range(PICTURES):
        place = folder / kind(number)
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number:03}.png")


def _write_table(path: Path, pictures: int, columns: tuple[str, ...]) -> None:
    path.parent.mkdir()
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for number in range(pictures):
            name = f"{number:03}.png"
            picture(number).save(path.parent / name)
            table.writerow((name, caption(number), kind(number))[: len(columns)])
