"""Shipped icons as a user's own pictures: class folders, and pictures with captions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from shieldclip.data import open_source
from shieldclip.data.decode import decode

CLASSES = ("banana", "pear", "penguin", "taxi")


def icons(per_class: int) -> Iterator[tuple[str, Image.Image]]:
    """The first pictures of four classes, in turns, with their class names."""
    source = open_source("icons-100")
    labels = list(source.labels)
    for number in range(per_class):
        for name in CLASSES:
            row = labels.index(source.classes.index(name)) + number
            yield name, decode(source.rows[row]["image"])


def write_class_folders(folder: Path, per_class: int) -> None:
    """A folder of pictures for each class."""
    for number, (name, image) in enumerate(icons(per_class)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        image.save(folder / name / f"{number}.png")


def write_pairs(folder: Path, per_class: int) -> None:
    """Pictures, and ``metadata.jsonl`` with a caption for each."""
    folder.mkdir()
    lines = []
    for number, (name, image) in enumerate(icons(per_class)):
        image.save(folder / f"{number}.png")
        lines.append(json.dumps({"file_name": f"{number}.png", "text": f"a picture of a {name}"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
