"""Which model answered: its files by content, or its commit on the Hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import snapshot_download

_MIB = 2**20
_BLOCKS = 64
"""Blocks of a MiB that stand for a larger file; reading it whole may take a minute."""
_HEADER = 100 * _MIB
"""The most bytes that safetensors allows."""


def fingerprint(model: Path) -> str:
    """Hash of a GGUF file, or of the names and contents of the files in a folder.

    Of a file above 64 MiB it takes the size, the header of safetensors, and blocks from the first
    to the last at equal distances. Training, merging and quantising change values everywhere; an
    edit of a few values between two blocks is not seen.
    """
    digest = hashlib.sha256()
    files = sorted(model.iterdir()) if model.is_dir() else [model]
    for file in filter(Path.is_file, files):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()[:16]


def commit_of(repo: str) -> str:
    """The commit of a Hub id's main branch: the newest, or offline the one in the Hub cache.

    Raises:
        OSError: there is none, or it can neither be reached nor found in the cache.
        ValueError: no Hub id.
    """
    return Path(snapshot_download(repo, allow_patterns=["config.json"])).name


def _blocks(file: Path) -> Iterator[bytes]:
    size = file.stat().st_size
    with file.open("rb") as opened:
        if size <= _BLOCKS * _MIB:
            yield opened.read()
            return
        if file.suffix == ".safetensors":
            yield opened.read(min(int.from_bytes(opened.read(8), "little"), _HEADER))
        for number in range(_BLOCKS):
            opened.seek(number * (size - _MIB) // (_BLOCKS - 1))
            yield opened.read(_MIB)
