"""Both towers as ONNX, for ONNX Runtime and what builds on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.functional import normalize

from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.errors import ShieldCLIPError
from shieldclip.export.files import save_processor
from shieldclip.export.onnx_reader import CONFIG, IMAGE, TEXT, OnnxTowers
from shieldclip.export.source import Source

LARGEST = 2**31 - 2**20
"""Bytes of weights inside an ONNX file, which cannot exceed 2 GiB; more lie in ``FILE.data``."""


class ImageGraph(nn.Module):
    """Normalised pixels ``[B, 3, S, S]`` -> ``[B, D]`` unit norm."""

    def __init__(self, model: Any) -> None:
        """Wrap a ``CLIPModel``."""
        super().__init__()
        self.tower, self.projection = model.vision_model, model.visual_projection

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Encode pictures."""
        pooled = self.tower(pixel_values=pixel_values).pooler_output
        return normalize(self.projection(pooled), dim=-1)


class TextGraph(nn.Module):
    """Token ids ``[B, L]`` -> ``[B, D]`` unit norm.

    Without a mask: attention is causal and the feature is read at the end token, so that padding
    behind it has no effect.
    """

    def __init__(self, model: Any) -> None:
        """Wrap a ``CLIPModel``."""
        super().__init__()
        self.tower, self.projection = model.text_model, model.text_projection

    def forward(self, input_ids: Tensor) -> Tensor:
        """Encode texts."""
        pooled = self.tower(input_ids=input_ids).pooler_output
        return normalize(self.projection(pooled), dim=-1)


def write_onnx(source: Source, folder: Path) -> None:
    """Write both graphs, what their inputs are, tokenizer and image processor.

    Raises:
        ShieldCLIPError: the extra ``export`` is not installed.
    """
    config = _config(source)
    model, size = source.encoder.model, source.encoder.image_size
    # More than one of everything: the exporter takes a size of 1 for a constant.
    pixels = torch.zeros(2, 3, size, size)
    ids = torch.full((2, 3), config["text"]["end_token_id"])
    batch, length = Dim("batch"), Dim("length", max=config["text"]["context_length"])
    with _needs_extra(), quiet_libraries():
        _save(ImageGraph(model), pixels, {0: batch}, folder, config["image"], config)
        _save(TextGraph(model), ids, {0: batch, 1: length}, folder, config["text"], config)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_processor(source, folder)


def read_onnx(folder: Path) -> OnnxTowers:
    """The folder as ONNX Runtime computes it, on the CPU.

    Raises:
        ShieldCLIPError: the extra ``export`` is not installed.
    """
    with _needs_extra():
        return OnnxTowers(folder)


def _config(source: Source) -> dict[str, Any]:
    """What a program must know that has neither Python nor transformers."""
    steps, text = source.preprocessing, source.config.text_config
    tokenizer = source.processor.tokenizer
    return {
        "image": {
            **IMAGE,
            "size": steps.crop,
            "resize": steps.resize,
            "resize_mode": steps.mode,
            "interpolation": steps.resample.name.lower(),
            "mean": list(steps.mean),
            "std": list(steps.std),
        },
        "text": {
            **TEXT,
            "context_length": text.max_position_embeddings,
            "end_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        "embedding_size": source.config.projection_dim,
        "logit_scale": source.encoder.logit_scale,
    }


def _save(
    graph: nn.Module,
    example: Tensor,
    dynamic: dict[int, Any],
    folder: Path,
    names: dict[str, Any],
    config: dict[str, Any],
) -> None:
    size = sum(parameter.nbytes for parameter in graph.parameters())
    program = torch.onnx.export(
        graph.eval(),
        (example,),
        dynamo=True,
        dynamic_shapes=(dynamic,),
        input_names=[names["input"]],
        output_names=[names["output"]],
        verbose=False,
    )
    assert program is not None  # as `dynamo` is set
    program.model.metadata_props["logit_scale"] = repr(config["logit_scale"])
    program.save(folder / names["file"], external_data=size > LARGEST)


@contextmanager
def _needs_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ShieldCLIPError(
            f"Expected onnx, onnxscript and onnxruntime for ONNX, got: {error}; "
            "pip install 'shieldclip[export]'."
        ) from error
