"""Blended with a user's picture (Chen et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.blend import Blend
from shieldclip.attacks.triggers.picture import file_digest, resized
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True)
class BlendedImage(Blend):
    """0.2 of a picture of yours.

    Attributes:
        path: any picture that PIL reads, stretched to the image.
    """

    id: ClassVar[str] = "blended-image"
    path: str = field(kw_only=True)

    @override
    def pattern(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[3, H, W]``, the same for all.

        Raises:
            ShieldCLIPError: no such file, or not a picture.
        """
        height, width = images.shape[-2:]
        return _picture(self.path, file_digest(self.path), height, width)

    @override
    def record(self) -> dict[str, object]:
        """With the file's SHA-256."""
        return {**super().record(), "sha256": file_digest(self.path)}


@lru_cache(maxsize=16)
def _picture(path: str, _sha256: str, height: int, width: int) -> Tensor:
    try:
        with Image.open(path) as picture:
            pixels = np.array(picture.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise ShieldCLIPError(
            f"Expected a picture, got {path!r}: {error}; use PNG or JPEG."
        ) from error
    return resized(torch.from_numpy(pixels).permute(2, 0, 1) / 255, height, width)
