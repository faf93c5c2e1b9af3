"""Parquet files and WebDataset tar shards."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

import datasets

from shieldclip.data.opening.loading import readable
from shieldclip.data.opening.raw import ALL, Raw, from_dataset
from shieldclip.data.opening.splits import choose_split
from shieldclip.errors import ShieldCLIPError

SHARDS = {".parquet": "parquet", ".tar": "webdataset"}
"""Suffix -> reader of the ``datasets`` library."""

_TAR_END = 1024  # bytes
_REMEDY = "write the file again, or leave it out"


def read_shards(files: Sequence[Path], split: str | None, path: str) -> Raw:
    """Reads files of one kind, in this order, as the split ``all``."""
    chosen = choose_split([ALL], split, path)
    kind = SHARDS[files[0].suffix.lower()]
    for file in files:
        _check_end(file)
    patterns = [glob.escape(str(file.resolve())) for file in files]
    with readable(f"{kind} in {path}", _REMEDY):
        # A file that has changed is read anew: the cache is keyed by path and time of change.
        rows = datasets.load_dataset(kind, data_files={"train": patterns}, split="train")
    return from_dataset(rows, files[0].stem, chosen, path, files[0].parent.resolve())


def read_shard_folder(folder: Path, split: str | None) -> Raw:
    """Reads a folder by the rules of the Hub: splits by file name, or as its README says."""
    for file in folder.rglob("*.tar"):
        _check_end(file)
    with readable(f"a data set in {folder}", "name its files, e.g. 'FOLDER/*.parquet'"):
        builder = datasets.load_dataset_builder(str(folder.resolve()))
        available = [str(name) for name in builder.config.data_files or builder.info.splits or ()]
    chosen = choose_split(available, split, str(folder))
    with readable(f"a data set in {folder}", _REMEDY):
        rows = datasets.load_dataset(str(folder.resolve()), split=chosen)
    return from_dataset(rows, folder.resolve().name, chosen, str(folder), folder.resolve())


def _check_end(file: Path) -> None:
    """A tar ends in two blocks of zeros; without them its reader would stop early, in silence."""
    if file.suffix.lower() != ".tar":
        return
    with file.open("rb") as tar:
        tar.seek(-min(_TAR_END, file.stat().st_size), os.SEEK_END)
        if tar.read() != bytes(_TAR_END):
            raise ShieldCLIPError(
                f"Expected a whole tar archive, but {file} breaks off; copy or pack it again."
            )
