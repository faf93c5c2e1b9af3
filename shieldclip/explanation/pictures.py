"""The pictures to explain: files, or rows of a data source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from shieldclip.data import Source, open_source
from shieldclip.data.decode import decode
from shieldclip.errors import ShieldCLIPError

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".ppm"}
)


@dataclass(frozen=True)
class Picture:
    """One picture to look at."""

    name: str
    image: Image.Image
    sample: int
    """Its id: decides what is random in a trigger."""
    label: str = ""
    """Its class, where known."""


def is_picture(place: str) -> bool:
    """Whether a string names a file with a picture's suffix."""
    return Path(place).suffix.lower() in SUFFIXES


def picture_of_file(path: str, sample: int = 0) -> Picture:
    """One file.

    Raises:
        ShieldCLIPError: missing or no picture.
    """
    return Picture(path, decode({"bytes": None, "path": path}), sample)


def pictures_of_source(source: Source, rows: Sequence[int]) -> list[Picture]:
    """Some rows of a data source.

    Raises:
        ShieldCLIPError: a row that is not there, or whose picture cannot be read.
    """
    for row in rows:
        if not 0 <= row < len(source.rows):
            raise ShieldCLIPError(
                f"Expected rows from 0 to {len(source.rows) - 1} of {source.name!r}, got {row}; "
                "choose others with --rows."
            )
    labels = source.labels
    return [
        Picture(
            name=f"{source.name} {row}",
            image=decode(source.rows[row]["image"], f"row {row} of {source.name}"),
            sample=row,
            label=source.classes[labels[row]] if labels and source.classes else "",
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Gathered:
    """Pictures, and the names that their sources bring along."""

    pictures: tuple[Picture, ...]
    classes: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


def gather_pictures(
    places: Sequence[str], rows: Sequence[int] = (0,), split: str | None = None
) -> Gathered:
    """Files and sources, in the order given.

    Args:
        places: files with a picture's suffix, or data sources.
        rows: of each source.
        split: of each source.

    Returns:
        the pictures, with class names and templates of the first source that has classes.

    Raises:
        ShieldCLIPError: something is missing or cannot be read.
    """
    pictures: list[Picture] = []
    labelled: Source | None = None
    for place in places:
        if is_picture(place):
            pictures.append(picture_of_file(place, len(pictures)))
            continue
        source = open_source(place, split=split)
        pictures += pictures_of_source(source, rows)
        labelled = labelled or (source if source.classes else None)
    if labelled is None:
        return Gathered(tuple(pictures))
    return Gathered(tuple(pictures), labelled.classes, labelled.templates)
