"""The pictures of many rows, decoded ahead in threads: `ImageRows`."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import datasets
from PIL import Image

from shieldclip.data.decode import BadImage, decode, image_name
from shieldclip.errors import ShieldCLIPError

MAX_BAD_SHARE = 0.1
"""A data set with a larger share of unreadable pictures is an error; one of them never is,
unless it is the only one."""

_CHUNK = 8  # rows a thread decodes at a time: fewer hand-overs, and little memory

T = TypeVar("T")


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be read."""

    row: int
    name: str
    reason: str


class Unreadable:
    """Pictures of one data set that cannot be read, over one walk or several."""

    def __init__(self, total: int) -> None:
        """None yet.

        Args:
            total: pictures of the data set.
        """
        self._total = total
        self._allowed = min(max(1, int(MAX_BAD_SHARE * total)), total - 1)
        self._found: dict[int, Skipped] = {}

    def add(self, bad: Skipped) -> None:
        """Count a picture; one that is known already does not count again.

        Raises:
            ShieldCLIPError: these are more than `MAX_BAD_SHARE` of all.
        """
        self._found.setdefault(bad.row, bad)
        if len(self._found) > self._allowed:
            first = next(iter(self._found.values()))
            raise ShieldCLIPError(
                f"Expected at most {self._allowed} unreadable pictures among {self._total}, found "
                f"more; the first is {first.name}: {first.reason}. Mend or remove them."
            )

    @property
    def rows(self) -> Set[int]:
        """Those known so far."""
        return self._found.keys()


class ImageRows(Generic[T]):
    """Rows of a data set as pictures, in order, leaving out those that cannot be read.

    Each walk decodes again; at most a few chunks of pictures are in memory at a time.

    Args:
        rows: has a column ``image`` of ``bytes`` and ``path``.
        transform: applied to each RGB picture, in the thread that decoded it.
        workers: threads; by default one per core, at most 8.
        chosen: only these rows; all unless given.
        unreadable: counts over several walks; by default each walk counts anew.
    """

    def __init__(
        self,
        rows: datasets.Dataset,
        transform: Callable[[Image.Image], T],
        workers: int | None = None,
        *,
        chosen: Sequence[int] | None = None,
        unreadable: Unreadable | None = None,
    ) -> None:
        images = rows.select_columns("image")
        self._images = images if chosen is None else images.select(chosen)
        self._numbers = range(len(images)) if chosen is None else chosen
        self._unreadable = unreadable
        self._transform = transform
        self._workers = workers or min(8, os.cpu_count() or 1)
        self.skipped: list[Skipped] = []
        """What the latest walk left out, so far."""

    def __len__(self) -> int:
        """Rows, readable or not."""
        return len(self._images)

    def __iter__(self) -> Iterator[tuple[int, T]]:
        """Yields row number and transformed picture.

        Raises:
            ShieldCLIPError: more than `MAX_BAD_SHARE` of the pictures cannot be read.
        """
        self.skipped = []
        unreadable = self._unreadable or Unreadable(len(self))
        for row, outcome in self._outcomes():
            if isinstance(outcome, BadImage):
                self.skipped.append(Skipped(row, outcome.name, outcome.reason))
                unreadable.add(self.skipped[-1])
            else:
                yield row, outcome

    def _outcomes(self) -> Iterator[tuple[int, T | BadImage]]:
        pool = ThreadPoolExecutor(self._workers)
        waiting: deque[Future[list[tuple[int, T | BadImage]]]] = deque()
        try:
            for start in range(0, len(self), _CHUNK):
                cells = self._images[start : start + _CHUNK]["image"]
                waiting.append(pool.submit(self._decode, start, cells))
                if len(waiting) > self._workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _decode(self, start: int, cells: list[dict[str, Any]]) -> list[tuple[int, T | BadImage]]:
        rows = self._numbers[start : start + len(cells)]
        return [(row, self._decode_one(row, cell)) for row, cell in zip(rows, cells, strict=True)]

    def _decode_one(self, row: int, cell: dict[str, Any]) -> T | BadImage:
        try:
            image = decode(cell, image_name(cell, row))
        except BadImage as bad:
            return bad
        return self._transform(image)
