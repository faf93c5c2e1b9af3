"""Pictures of a source as a model wants them, and where both came from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from shieldclip.data.image_rows import ImageRows
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError
from shieldclip.types import Encoder


def read_pictures(
    source: Source, encoder: Encoder, rows: Sequence[int]
) -> tuple[list[int], Tensor]:
    """Decode, resize and crop.

    Args:
        source: the data.
        encoder: says how.
        rows: which.

    Returns:
        the rows that can be read, and their pixels ``[n, 3, S, S]`` uint8 on the CPU.

    Raises:
        ShieldCLIPError: too many pictures cannot be read.
    """
    if not rows:
        raise ShieldCLIPError(f"Expected pictures of {source.source!r}, got no row; choose others.")
    found = list(ImageRows(source.rows, encoder.preprocess, chosen=rows))
    return [row for row, _ in found], torch.stack([pixels for _, pixels in found])


def origin(source: Source, encoder: Encoder) -> dict[str, object]:
    """Model and data by name and fingerprint, for the files that an attacker leaves."""
    return {
        "model": encoder.name,
        "model_fingerprint": encoder.fingerprint,
        "data": source.source,
        "split": source.split,
        "data_fingerprint": source.fingerprint,
    }
