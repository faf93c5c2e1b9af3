"""Files that several formats share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from shieldclip.export.source import Source


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write safetensors that transformers and open_clip read."""
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def save_processor(source: Source, folder: Path) -> None:
    """Write tokenizer and image processor; the latter also under its name before transformers 5."""
    source.processor.save_pretrained(folder)
    source.processor.image_processor.save_pretrained(folder)
