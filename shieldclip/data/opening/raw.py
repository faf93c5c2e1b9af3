"""A data set as its files have it, before its columns are understood: `Raw`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import datasets
import pyarrow as pa

ALL = "all"
"""Split of files that do not form splits."""


@dataclass(frozen=True)
class Raw:
    """Columns under the names of the files."""

    table: pa.Table
    features: datasets.Features
    name: str
    split: str
    path: str
    base: Path | None = None
    """Folder that relative picture paths start from; ``None``: paths are already whole."""
    classes_by_folder: bool = False
    """Labels are names of class folders, which a class list may also name by their order."""
    untyped: bool = False
    """Numbers come as text, as in CSV."""
    unusable: tuple[str, ...] = ()
    """Columns left out because their values are of several types."""

    def renamed(self, name: str, split: str) -> Raw:
        """The same columns as part of a larger data set."""
        return replace(self, name=name, split=split)


def from_dataset(
    rows: datasets.Dataset, name: str, split: str, path: str, base: Path | None
) -> Raw:
    """What the ``datasets`` library has read."""
    return Raw(rows.with_format("arrow")[:], rows.features, name, split, path, base)
