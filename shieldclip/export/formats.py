"""Formats to export to, all in the registry ``FORMATS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shieldclip.errors import unknown_name
from shieldclip.export.compare import Towers
from shieldclip.export.onnx_folder import read_onnx, write_onnx
from shieldclip.export.open_clip_folder import read_open_clip, write_open_clip
from shieldclip.export.source import Source
from shieldclip.export.transformers_folder import read_transformers, write_transformers


@dataclass(frozen=True)
class Format:
    """How a format is written, and how it is read back to be checked."""

    library: str
    """What loads it, as the Hub calls that."""
    write: Callable[[Source, Path], None]
    read: Callable[[Path], Towers]
    tolerance: float
    """Features may differ by this from the source's, both in float32."""


FORMATS: dict[str, Format] = {
    "transformers": Format("transformers", write_transformers, read_transformers, 0.0),
    "open-clip": Format("open_clip", write_open_clip, read_open_clip, 1e-5),
    "onnx": Format("onnx", write_onnx, read_onnx, 1e-4),
}


def find_format(name: str) -> Format:
    """A format by its name.

    Raises:
        ShieldCLIPError: no such format.
    """
    if name not in FORMATS:
        raise unknown_name("export format", name, FORMATS)
    return FORMATS[name]
