"""A folder that open_clip loads as ``local-dir:FOLDER``."""

from __future__ import annotations

import json
from pathlib import Path

from shieldclip.encoders import load_encoder
from shieldclip.encoders.folder import CONFIGS, WEIGHTS
from shieldclip.export.files import save_weights
from shieldclip.export.open_clip_config import open_clip_config
from shieldclip.export.open_clip_weights import open_clip_weights
from shieldclip.export.source import Source
from shieldclip.types import Encoder


def write_open_clip(source: Source, folder: Path) -> None:
    """Write configuration, weights and tokenizer.

    Raises:
        ShieldCLIPError: an activation or a preprocessing that open_clip does not have.
    """
    config = json.dumps(open_clip_config(source), indent=2)
    (folder / CONFIGS["open_clip"]).write_text(config + "\n", encoding="utf-8")
    save_weights(open_clip_weights(source.weights()), folder / WEIGHTS["open_clip"][0])
    source.processor.tokenizer.save_pretrained(folder)


def read_open_clip(folder: Path) -> Encoder:
    """The folder as the library loads it, on the CPU in float32."""
    return load_encoder(f"local-dir:{folder}", device="cpu", dtype="float32")
