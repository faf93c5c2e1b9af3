"""The pictures of one data set, decoded, resized and cropped once: `Pixels`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from shieldclip.data.image_rows import ImageRows
from shieldclip.data.source import Source
from shieldclip.types import Encoder

MEMORY_BUDGET = 4 << 30
"""Bytes of pixels that stay in memory; larger sets go to a temporary file."""

Preprocess = Callable[[Image.Image], Tensor]


class Pixels:
    """uint8 pixels ``[N, 3, S, S]`` of every row that can be decoded.

    The first walk through `batches` decodes in the background while its caller computes; later
    walks, by other triggers or other models of equal preprocessing, read what is there.
    """

    def __init__(self, source: Source, preprocess: Preprocess, size: int, folder: Path) -> None:
        self._pictures = ImageRows(source.rows, preprocess)
        self._pixels = _allocate((len(source.rows), 3, size, size), folder)
        self._rows: list[int] | None = None

    def batches(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Walks through the readable rows in order.

        Yields:
            row numbers ``[B]`` int64 and their pixels ``[B, 3, S, S]`` uint8.

        Raises:
            ShieldCLIPError: too many pictures cannot be decoded.
        """
        readable = iter(self._rows) if self._rows is not None else self._decoding()
        while batch := list(islice(readable, batch_size)):
            rows = torch.tensor(batch)
            yield rows, self.take(rows)

    def take(self, rows: Tensor) -> Tensor:
        """Pixels of rows that were walked over: ``[B]`` -> ``[B, 3, S, S]`` uint8."""
        return torch.from_numpy(self._pixels[rows.numpy()])

    def _decoding(self) -> Iterator[int]:
        """The readable rows, each as soon as its pixels are in place."""
        ready: SimpleQueue[int | None] = SimpleQueue()
        stop = Event()
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(self._fill, ready, stop)
            rows = []
            try:
                while (row := ready.get()) is not None:
                    rows.append(row)
                    yield row
                filling.result()
                self._rows = rows
            finally:
                stop.set()  # the caller may have left early

    def _fill(self, ready: SimpleQueue[int | None], stop: Event) -> None:
        try:
            for row, pixels in self._pictures:
                if stop.is_set():
                    break
                self._pixels[row] = pixels.numpy()
                ready.put(row)
        finally:
            ready.put(None)


class Shelf:
    """The pixels of the data sets at hand, shared by models of equal preprocessing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pixels: dict[tuple[str, str, int], Pixels] = {}

    def open(self, source: Source, encoder: Encoder) -> Pixels:
        """The pixels of ``source`` as ``encoder`` wants them."""
        key = (source.fingerprint, encoder.preprocessing, encoder.image_size)
        if key not in self._pixels:
            self._pixels[key] = Pixels(source, encoder.preprocess, encoder.image_size, self._folder)
        return self._pixels[key]

    def keep(self, sources: Iterable[Source]) -> None:
        """Frees the pixels of all other data sets."""
        wanted = {source.fingerprint for source in sources}
        self._pixels = {key: px for key, px in self._pixels.items() if key[0] in wanted}


def _allocate(shape: tuple[int, ...], folder: Path) -> NDArray[np.uint8]:
    if np.prod(shape, dtype=np.int64) <= MEMORY_BUDGET:
        return np.empty(shape, np.uint8)
    # Unlinked at once, so that the space is freed however the process ends.
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pixels") as file:
        return np.memmap(file.name, np.uint8, "w+", shape=shape)
