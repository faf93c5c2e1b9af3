"""Pictures from files, resized to the images they are put on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from shieldclip.errors import ShieldCLIPError


def resized(picture: Tensor, height: int, width: int) -> Tensor:
    """Antialiased bilinear resize: ``[C, h, w]`` -> ``[C, H, W]``."""
    if picture.shape[-2:] == (height, width):
        return picture
    size = (height, width)
    return F.interpolate(
        picture[None], size=size, mode="bilinear", antialias=True, align_corners=False
    )[0]


def file_digest(path: str) -> str:
    """SHA-256 of a file, so that a manifest pins the pattern and not only its name.

    Raises:
        ShieldCLIPError: no such file.
    """
    file = Path(path)
    if not file.is_file():
        raise ShieldCLIPError(
            f"Expected a trigger file, got {path!r}: no such file; check the path."
        )
    return hashlib.sha256(file.read_bytes()).hexdigest()
