"""Folders that are whole or absent, also after a kill."""

from __future__ import annotations

import shutil
from pathlib import Path


def swap(draft: Path, folder: Path) -> None:
    """Put a finished draft in the place of a folder."""
    old = folder.with_name(f".{folder.name}.old")
    remove(old)
    if folder.exists():
        folder.replace(old)
    draft.replace(folder)
    remove(old)


def remove(folder: Path) -> None:
    """Delete a folder, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
