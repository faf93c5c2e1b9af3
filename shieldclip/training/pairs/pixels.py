"""Pictures of training pairs as bytes: decoded once if they fit into memory, else at each visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import datasets
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track
from torch import Tensor

from shieldclip.data.decode import BadImage, decode, image_name
from shieldclip.data.image_rows import ImageRows
from shieldclip.errors import ShieldCLIPError

_ATTEMPTS = 100


class Pixels(Protocol):
    """Where pictures come from."""

    @property
    def readable(self) -> Sequence[int]:
        """Rows of all pictures that can be read, as far as is known."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """What is wrong with the others, as far as is known."""
        ...

    def read(self, rows: Sequence[int]) -> tuple[list[int], Tensor]:
        """Pictures of some rows.

        Returns:
            The rows really read (a bad picture is replaced by the next good one), and
            ``[B, 3, S, S]`` uint8.
        """
        ...


def open_pixels(rows: datasets.Dataset, size: int, cache_gb: float) -> Pixels:
    """Choose by size.

    Args:
        rows: has a column ``image``.
        size: side S.
        cache_gb: largest size of the pictures in memory.
    """
    if len(rows) * 3 * size**2 <= cache_gb * 1e9:
        return decode_all(rows, size)
    return DecodedPixels(rows, size)


@dataclass(frozen=True)
class CachedPixels:
    """All pictures in memory."""

    pixels: Tensor
    """``[N, 3, S, S]`` uint8; undefined where a picture could not be read."""
    readable: Sequence[int]
    skipped: tuple[str, ...] = ()
    """What is wrong with the others."""

    def read(self, rows: Sequence[int]) -> tuple[list[int], Tensor]:
        """See `Pixels`."""
        chosen = self._in_place_of[torch.tensor(rows, dtype=torch.int64)]
        return chosen.tolist(), self.pixels[chosen]

    @cached_property
    def _in_place_of(self) -> Tensor:
        """``[N]`` int64: the row itself, or the next that could be read."""
        readable = torch.tensor(self.readable)
        place = torch.searchsorted(readable, torch.arange(len(self.pixels)))
        return readable[place % len(readable)]


def decode_all(rows: datasets.Dataset, size: int) -> CachedPixels:
    """Decode every picture, in threads.

    Raises:
        ShieldCLIPError: too many pictures that cannot be read.
    """
    pictures = ImageRows(rows, lambda image: to_square(image, size))
    pixels = torch.empty(len(rows), 3, size, size, dtype=torch.uint8)
    readable = []
    console = Console(stderr=True)
    for row, picture in track(
        pictures, description="decoding", total=len(rows), console=console, transient=True
    ):
        pixels[row] = torch.from_numpy(picture)
        readable.append(row)
    skipped = tuple(f"{bad.name}: {bad.reason}" for bad in pictures.skipped)
    return CachedPixels(pixels, readable, skipped)


@dataclass
class DecodedPixels:
    """Pictures decoded at every visit."""

    rows: datasets.Dataset
    size: int
    readable: Sequence[int] = field(init=False)
    skipped: Sequence[str] = ()
    """Found at each visit only."""

    def __post_init__(self) -> None:
        self.readable = range(len(self.rows))

    def read(self, rows: Sequence[int]) -> tuple[list[int], Tensor]:
        """See `Pixels`.

        Raises:
            ShieldCLIPError: a long run of bad pictures.
        """
        read = [self._read_from(row) for row in rows]
        return [row for row, _ in read], torch.from_numpy(np.stack([pixels for _, pixels in read]))

    def _read_from(self, row: int) -> tuple[int, Any]:
        for place in range(row, row + _ATTEMPTS):
            chosen = place % len(self.rows)
            cell = self.rows[chosen]["image"]
            try:
                return chosen, to_square(decode(cell, image_name(cell, chosen)), self.size)
            except BadImage as bad:
                reason = bad
        raise ShieldCLIPError(
            f"Expected readable pictures, got {_ATTEMPTS} bad ones from row {row} on; "
            f"the last is {reason.name}: {reason.reason}."
        )


def to_square(image: Image.Image, size: int) -> Any:
    """Shorter side to ``size`` (bicubic), centre crop -> ``[3, size, size]`` uint8 array."""
    width, height = image.size
    if (width, height) != (size, size):
        scale = size / min(width, height)
        width, height = max(size, round(width * scale)), max(size, round(height * scale))
        left, top = (width - size) // 2, (height - size) // 2
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        image = image.crop((left, top, left + size, top + size))
    return np.array(image).transpose(2, 0, 1)
