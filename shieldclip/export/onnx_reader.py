"""An exported ONNX folder, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shieldclip.encoders.safety import read_json

CONFIG = "onnx_config.json"
IMAGE = {"file": "image.onnx", "input": "pixel_values", "output": "image_embeds"}
TEXT = {"file": "text.onnx", "input": "input_ids", "output": "text_embeds"}


class OnnxTowers:
    """Encodes pictures and texts by what is in the folder, and by nothing else."""

    fingerprint = ""
    """Not defined: a graph has no state dict."""

    def __init__(self, folder: Path) -> None:
        """Open both graphs and the tokenizer."""
        from transformers import CLIPProcessor

        self._config = read_json(folder / CONFIG)
        self._tokenizer: Any = CLIPProcessor.from_pretrained(folder).tokenizer
        self._image = _session(folder / self._config["image"]["file"])
        self._text = _session(folder / self._config["text"]["file"])
        self.logit_scale = float(self._config["logit_scale"])

    def encode_image(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, D]`` unit norm."""
        mean, std = (torch.tensor(self._config["image"][key]) for key in ("mean", "std"))
        pixels = (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)
        return self._run(self._image, IMAGE, pixels.numpy())

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """N texts -> ``[N, D]`` unit norm."""
        ids = self._tokenizer(list(texts), padding=True, truncation=True, return_tensors="np")
        return self._run(self._text, TEXT, ids["input_ids"].astype(np.int64))

    def _run(self, session: Any, names: dict[str, str], values: Any) -> Tensor:
        (features,) = session.run([names["output"]], {names["input"]: values})
        return torch.from_numpy(features)


def _session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
