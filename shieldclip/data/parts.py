"""Data cut in parts by picture, so that a model can judge pairs that it has not seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import datasets
import numpy as np
from numpy.typing import NDArray

from shieldclip.data.fingerprint import picture_content
from shieldclip.errors import ShieldCLIPError

_BATCH = 256


@dataclass(frozen=True)
class Part:
    """Part ``number`` of ``of``, counted from 1.

    A picture belongs to a part by its bytes alone: wherever it comes again, with whatever caption
    and in whatever order, it is in the same part.
    """

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Part:
        """``1/2``, the first half.

        Raises:
            ShieldCLIPError: no such part.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        part = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= part.number <= part.of or part.of < 2:
            raise ShieldCLIPError(
                f"Expected a part such as 1/2 or 3/5, got {text!r}; count parts from 1."
            )
        return part

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def of_rows(self, rows: datasets.Dataset) -> NDArray[np.int64]:
        """Rows, rising, whose ``image`` belongs to the part.

        Raises:
            ShieldCLIPError: none does.
        """
        numbers = np.flatnonzero([self._holds(content) for content in _contents(rows)])
        if not len(numbers):
            raise ShieldCLIPError(
                f"Expected pictures in part {self}, got none of {len(rows)}; cut in fewer parts."
            )
        return numbers

    def _holds(self, content: bytes | None) -> bool:
        digest = hashlib.blake2b(content or b"", digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.of == self.number - 1


def _contents(rows: datasets.Dataset) -> Iterator[bytes | None]:
    for table in rows.select_columns("image").with_format("arrow").iter(_BATCH):
        for cell in table["image"].to_pylist():
            yield picture_content(cell)
