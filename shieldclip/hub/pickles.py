"""Find pickles: loading one can run code, so none is published."""

from __future__ import annotations

import zipfile
from pathlib import Path

from shieldclip.encoders.safety import PICKLED

SUFFIXES = frozenset({*PICKLED, ".ckpt", ".joblib", ".pickle", ".pkl"})
_PROTOCOLS = tuple(b"\x80" + bytes([version]) for version in range(2, 6))
"""How a pickle of protocol 2 to 5 begins."""


def find_pickles(folder: Path) -> list[Path]:
    """Files below ``folder`` that are pickles by their name or by their content."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and is_pickle(path)]


def is_pickle(path: Path) -> bool:
    """Whether a file has a name that loaders unpickle, or holds a pickle under another name."""
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as file:
        if file.read(2) in _PROTOCOLS:
            return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".pkl") for name in archive.namelist())
