"""From a source string to the reader of its kind."""

from __future__ import annotations

import glob
from pathlib import Path

from shieldclip.data.embedded import EMBEDDED
from shieldclip.data.opening.class_folders import has_pictures, read_class_folders, subfolders
from shieldclip.data.opening.hub import parse_hub_id, read_hub
from shieldclip.data.opening.raw import ALL, Raw
from shieldclip.data.opening.shards import SHARDS, read_shard_folder, read_shards
from shieldclip.data.opening.splits import ORDER, choose_split
from shieldclip.data.opening.tables import READERS, read_table
from shieldclip.errors import ShieldCLIPError, unknown_name

_METADATA = ("metadata.csv", "metadata.jsonl")


def read(spec: str, split: str | None) -> Raw:
    """Reads a path, a glob or a Hub data set; an existing path wins over a Hub id.

    Raises:
        ShieldCLIPError: it is none of them, or cannot be read.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        return _read_folder(path, split)
    if path.is_file():
        return _read_files([path], split, spec)
    if glob.has_magic(spec):
        found = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - also whole paths
        return _read_files([file for file in found if file.is_file()], split, spec)
    hub_id = parse_hub_id(spec)
    if hub_id is None or path.suffix.lower() in {*SHARDS, *READERS} or spec.startswith("."):
        raise _nothing(spec)
    return read_hub(hub_id, split)


def _read_files(files: list[Path], split: str | None, spec: str) -> Raw:
    suffixes = {file.suffix.lower() for file in files}
    if not files:
        raise ShieldCLIPError(f"Expected files, but none match {spec!r}; check the pattern.")
    if len(suffixes) == 1 and suffixes <= SHARDS.keys():
        return read_shards(files, split, spec)
    if len(files) == 1 and suffixes <= READERS.keys():
        return read_table(files[0], split)
    raise ShieldCLIPError(
        f"Expected one {', '.join(READERS)} file, or any number of {' or '.join(SHARDS)}, got "
        f"{len(files)} of {', '.join(sorted(suffixes)) or 'no suffix'} from {spec!r}."
    )


def _read_folder(folder: Path, split: str | None) -> Raw:
    if any(next(folder.rglob(f"*{suffix}"), None) for suffix in SHARDS):
        return read_shard_folder(folder, split)
    if not _has_splits(folder):
        return _read_pictures(folder, choose_split([ALL], split, str(folder)), folder)
    chosen = choose_split([sub.name for sub in subfolders(folder)], split, str(folder))
    return _read_pictures(folder / chosen, chosen, folder)


def _has_splits(folder: Path) -> bool:
    """Every folder in it is named like a split, and holds a data set rather than a class."""
    parts = subfolders(folder)
    return bool(parts) and all(
        part.name.lower() in ORDER and (_metadata(part) or not has_pictures(part)) for part in parts
    )


def _read_pictures(folder: Path, split: str, whole: Path) -> Raw:
    name = whole.resolve().name
    metadata = _metadata(folder)
    if metadata:
        return read_table(metadata, None).renamed(name, split)
    if subfolders(folder):
        return read_class_folders(folder, split, str(folder), name)
    tables = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in READERS]
    if len(tables) == 1:
        return read_table(tables[0], None).renamed(name, split)
    raise ShieldCLIPError(
        f"Expected class folders, metadata.csv, metadata.jsonl, parquet or tar shards in {folder}, "
        "found none of them; name the file, or sort pictures into one folder a class."
    )


def _metadata(folder: Path) -> Path | None:
    return next((folder / name for name in _METADATA if (folder / name).is_file()), None)


def _nothing(spec: str) -> ShieldCLIPError:
    if "/" in spec or "\\" in spec or Path(spec).suffix:
        return ShieldCLIPError(
            f"Expected data in {spec!r}, but there is no such file or folder; check the path "
            "(a Hub data set is named org/name)."
        )
    hint = "Or give a file, a folder, or a Hub data set as org/name."
    return ShieldCLIPError(f"{unknown_name('data set', spec, EMBEDDED)} {hint}")
