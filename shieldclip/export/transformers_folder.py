"""A plain ``CLIPModel`` folder of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shieldclip.encoders import load_encoder
from shieldclip.export.files import save_processor, save_weights
from shieldclip.export.source import Source
from shieldclip.types import Encoder


def write_transformers(source: Source, folder: Path) -> None:
    """Write configuration, weights, tokenizer and image processor."""
    _plain_config(source).save_pretrained(folder)
    save_weights(source.weights(), folder / "model.safetensors")
    save_processor(source, folder)


def read_transformers(folder: Path) -> Encoder:
    """The folder as the library loads it, on the CPU in float32."""
    return load_encoder(str(folder), device="cpu", dtype="float32")


def _plain_config(source: Source) -> Any:
    """The configuration without the fields that only a ShieldCLIP has."""
    from transformers import CLIPConfig

    known = CLIPConfig().to_dict()
    fields = {key: value for key, value in source.config.to_dict().items() if key in known}
    config: Any = CLIPConfig.from_dict(fields)
    config.architectures = ["CLIPModel"]
    for part in (config, config.text_config, config.vision_config):
        part.dtype = source.stored_dtype
    return config
