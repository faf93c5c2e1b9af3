"""Files and folders that are whole or absent, also after a kill: drafted, then moved into place."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path


def draft_of(path: Path) -> Path:
    """Where `drafted` keeps what is not done; a kill leaves it there."""
    return path.with_name(f".{path.name}.part")


def drafted(path: Path) -> AbstractContextManager[Path]:
    """Gives a path to make a file or folder at, which takes its place at ``path`` after the block.

    If the block fails, its draft is removed and what was there stays. Parent folders are made.
    """
    return _moved(draft_of(path), path)


def drafted_per_process(path: Path) -> AbstractContextManager[Path]:
    """As `drafted`, where several processes may write at once: the last one's stays."""
    writer = f"{platform.node()}-{os.getpid()}"
    return _moved(path.with_name(f".{path.name}.{writer}.part"), path)


def write_text(path: Path, text: str) -> None:
    """Write a file, `drafted`, in UTF-8; line ends stay as they are."""
    with drafted(path) as draft:
        draft.write_bytes(text.encode())


def swap(draft: Path, path: Path) -> None:
    """Put what is finished in the place of a file or folder of the same kind."""
    if not draft.is_dir():
        draft.replace(path)
        return
    old = path.with_name(f".{path.name}.old")
    remove(old)
    if path.is_dir():
        path.replace(old)
    draft.replace(path)
    remove(old)


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _moved(draft: Path, path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(draft)
    try:
        yield draft
        swap(draft, path)
    finally:
        remove(draft)
