"""Finished work on disk: each result lies under the SHA-256 of everything it depends on.

A result is a dict of tensors in one safetensors file, written to a temporary name and renamed, so
a run killed at any moment leaves only whole files, and the next run with the same folder takes
up where it stopped. A key holds model and data fingerprints, the trigger's record, the question
asked, the seed, the precision, and `FORMAT`.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from shieldclip.drafts import drafted_per_process
from shieldclip.errors import ShieldCLIPError

FORMAT = 1
"""Raised whenever a change of the code changes what is stored; older files are then ignored."""

Arrays = dict[str, Tensor]
Key = Mapping[str, object]


class Store:
    """Results under ``folder``, one sub-folder a kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._check_writable()

    def arrays(self, kind: str, key: Key, compute: Callable[[], Arrays]) -> Arrays:
        """The result for ``key``: read if it is there and whole, else computed and written.

        Args:
            kind: sub-folder, e.g. ``cells``.
            key: plain values (JSON) that the result depends on.
            compute: makes the result.
        """
        path = self.folder / kind / f"{_digest(key)}.safetensors"
        if path.exists():
            try:
                return load_file(path)
            except SafetensorError:
                path.unlink()  # damaged from outside; our own writes are all or nothing
        arrays = compute()
        _write(path, arrays, key)
        return arrays

    def _check_writable(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.folder).close()
        except OSError as error:
            raise ShieldCLIPError(
                f"Expected a folder that can be written as output, got {self.folder} "
                f"({error.strerror}); pass another one with --out."
            ) from error


def _digest(key: Key) -> str:
    text = json.dumps({"format": FORMAT, **key}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, arrays: Arrays, key: Key) -> None:
    metadata = {"key": json.dumps(key, sort_keys=True)}
    with drafted_per_process(path) as draft:
        save_file({name: a.contiguous() for name, a in arrays.items()}, draft, metadata)
