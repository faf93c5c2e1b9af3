"""One stored picture -> one RGB picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shieldclip.errors import ShieldCLIPError, in_one_line

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""Pillow would open more, among them EPS, for which it starts another program on the file."""

# What Pillow raises for broken files of its various formats.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class BadImage(ShieldCLIPError):  # noqa: N818 - it names the thing, as evaluation counts them
    """A picture that cannot be read: truncated, broken, missing, of an unknown format, too big."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Expected a readable picture in {name}, but {reason}.")
        self.name = name
        self.reason = reason


def decode(cell: Mapping[str, Any], name: str = "") -> Image.Image:
    """Decodes a cell of the column ``image``.

    EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits,
    and of an animation the first frame is taken. Thread-safe.

    Args:
        cell: ``bytes``, or the ``path`` of a file.
        name: what an error calls the picture; by default its path.

    Raises:
        BadImage: the picture cannot be read, or has more pixels than ``Image.MAX_IMAGE_PIXELS``.
    """
    name = name or str(cell.get("path") or "a row without a path")
    content = cell.get("bytes")
    if content is None and not cell.get("path"):
        raise BadImage(name, "the row has neither bytes nor a path")
    try:
        with Image.open(
            io.BytesIO(content) if content is not None else cell["path"], "r", FORMATS
        ) as image:
            _check_size(image)
            return _to_rgb(ImageOps.exif_transpose(image))
    except _BROKEN as error:
        raise BadImage(name, _reason(error)) from error


def image_name(cell: Mapping[str, Any], row: int) -> str:
    """How reports name a picture: by row (from 0) and, where known, by file."""
    return f"row {row} ({cell['path']})" if cell.get("path") else f"row {row}"


def _check_size(image: Image.Image) -> None:
    """Between one and two times the limit Pillow only warns."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise ValueError(f"it has {image.width}x{image.height} pixels and the limit is {limit}")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are floats of unknown range")
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image, np.int64) >> 8, 0, 255)  # Pillow itself would clip at 255
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return in_one_line(error)
