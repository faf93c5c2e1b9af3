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


def furnish(folder: Path) -> None:
    """Pictures by class, pictures with captions, and models under the names that pages use."""
    kinds = [list(COLOURS)[number % len(COLOURS)] for number in range(PICTURES)]
    pictures = [picture(kind, number) for number, kind in enumerate(kinds)]
    captions = [f"{kind} number {number} on a table" for number, kind in enumerate(kinds)]
    _write_classes(folder / "pictures", pictures, kinds)
    _write_table(folder / "photos" / "captions.csv", pictures, captions, kinds)
    _write_table(folder / "pairs" / "metadata.csv", pictures, captions, None)
    columns = {"image": pictures, "caption": captions}
    datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image()).to_parquet(
        str(folder / "pairs.parquet")
    )
    (folder / "org").mkdir()
    for name in ("checkpoint", "trusted", "org/name"):
        (folder / name).symlink_to(ZOO / "icons-clean")
    (folder / "model_cards").symlink_to(ROOT / "model_cards")
    (folder / "zoo-quick.json.gz").symlink_to(ROOT / "model_cards" / "zoo-quick.json.gz")


def picture(kind: str, seed: int) -> Image.Image:
    """A blob of the kind's colour on noise, 64 x 64."""
    pixels = np.random.default_rng(seed).integers(200, 256, (64, 64, 3), dtype=np.uint8)
    pixels[16:48, 16:48] = COLOURS[kind]
    return Image.fromarray(pixels)


def _write_classes(folder: Path, pictures: list[Image.Image], kinds: list[str]) -> None:
    for number, (image, kind) in enumerate(zip(pictures, kinds, strict=True)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        image.save(folder / kind / f"{number:03}.png")


def _write_table(
    path: Path, pictures: list[Image.Image], captions: list[str], labels: list[str] | None
) -> None:
    path.parent.mkdir()
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "caption", *(["label"] if labels else [])])
        for number, (image, caption) in enumerate(zip(pictures, captions, strict=True)):
            image.save(path.parent / f"{number:03}.png")
            table.writerow(
                [f"{number:03}.png", caption, *(labels[number : number + 1] if labels else [])]
            )
