"""A folder of class folders.

Read here and not as an ``imagefolder`` of the ``datasets`` library, which takes words such as
"train" or "test" in the name of a picture or of a class for a split.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow as pa

from shieldclip.data.opening.raw import Raw
from shieldclip.errors import ShieldCLIPError

_COMMON = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
_RARE = {".tif", ".tiff", ".avif", ".jp2", ".ppm", ".pgm"}
PICTURES = _COMMON | _RARE
"""Suffixes of files taken for pictures."""

_FEATURES = datasets.Features(
    {"image": datasets.Value("string"), "label": datasets.Value("string")}
)


def read_class_folders(folder: Path, split: str, shown: str, name: str) -> Raw:
    """Pictures at any depth in each class folder, sorted; the folder's name is the class.

    Raises:
        ShieldCLIPError: a class folder without pictures.
    """
    paths, labels = [], []
    for class_folder in subfolders(folder):
        pictures = list(_pictures(class_folder))
        if not pictures:
            raise ShieldCLIPError(
                f"Expected pictures in the class folder {class_folder}, found none "
                f"({', '.join(sorted(PICTURES))}); fill or remove it."
            )
        paths += pictures
        labels += [class_folder.name] * len(pictures)
    table = pa.table({"image": paths, "label": labels}, schema=_FEATURES.arrow_schema)
    return Raw(table, _FEATURES, name, split, shown, folder.resolve(), classes_by_folder=True)


def subfolders(folder: Path) -> list[Path]:
    """Folders in a folder by name, without hidden ones and those of archivers."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def has_pictures(folder: Path) -> bool:
    """Whether a picture lies directly in a folder."""
    return any(path.suffix.lower() in PICTURES for path in folder.iterdir())


def _pictures(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder.resolve()):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in PICTURES and not name.startswith("."):
                yield str(Path(parent, name))
