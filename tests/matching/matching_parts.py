"""A small data set and an encoder that sees it perfectly.

Words are ``w0`` to ``w15``. A picture has four patches, each of a colour that stands for a word; a
caption is a list of words. Both sides look a word's vector up in one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import normalize

from shieldclip.data import Source, open_source
from shieldclip.matching import load_table

WORDS = 16
SIDE, PATCH = 8, 4


class SyntheticEncoder:
    """An `Encoder`; ``calls`` counts the pictures it was shown."""

    name, revision, library, preprocessing = "synthetic", "", "none", "nearest"
    parameters, image_size, logit_scale, device, warning = 0, SIDE, 10.0, "cpu", ""

    def __init__(self, seed: int = 0) -> None:
        self.fingerprint = f"synthetic-{seed}"
        generator = torch.Generator().manual_seed(seed)
        self.table = normalize(torch.randn(WORDS, 24, generator=generator), dim=-1)
        self.calls = 0

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        resized = image.resize((SIDE, SIDE), Image.Resampling.NEAREST)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1)

    def patch_features(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += len(images)
        red = torch.nn.functional.avg_pool2d(images[:, 0] * 255, PATCH).flatten(1)  # [B, 4]
        return self.table[(red / 16).round().long().clamp(max=WORDS - 1)]

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return normalize(self.patch_features(images).mean(1), dim=-1)

    def token_features(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        ids = [[int(word[1:]) for word in text.split() if word[1:].isdigit()] for text in texts]
        longest = max(1, max(map(len, ids)))
        mask = torch.tensor([[True] * len(i) + [False] * (longest - len(i)) for i in ids])
        padded = torch.tensor([i + [0] * (longest - len(i)) for i in ids])
        return self.table[padded], mask

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        features, mask = self.token_features(texts)
        return normalize((features * mask[..., None]).sum(1), dim=-1)


def picture(words: Sequence[int]) -> bytes:
    """PNG of four patches, one word each."""
    levels = 16 * np.array(words, np.uint8).reshape(2, 2)
    pixels = np.kron(levels, np.ones((PATCH, PATCH), np.uint8))
    file = BytesIO()
    Image.fromarray(np.stack([pixels] * 3, -1)).save(file, "PNG")
    return file.getvalue()


def concepts(rows: int, seed: int = 0) -> list[tuple[int, int]]:
    """Two words a row, none of them 0."""
    drawn = np.random.default_rng(seed).integers(1, WORDS, (rows, 2))
    return [(int(a), int(b)) for a, b in drawn]


def write_pairs(
    path: Path, captions: dict[int, list[str]] | None = None, rows: int = 60, label: bool = False
) -> Source:
    """A parquet file of pictures that show their captions, but for the captions given.

    Args:
        path: the file.
        captions: row -> captions instead.
        rows: how many.
        label: whether there are labels, too.
    """
    shown = concepts(rows)
    columns = {
        "image": [{"bytes": picture([a, a, b, b]), "path": None} for a, b in shown],
        "captions": [(captions or {}).get(row, [f"w{a} w{b}"]) for row, (a, b) in enumerate(shown)],
    }
    features = {
        "image": datasets.Image(),
        "captions": datasets.List(datasets.Value("string")),
    }
    if label:
        columns["label"] = [row % 2 for row in range(rows)]
        features["label"] = datasets.ClassLabel(names=["even", "odd"])
    data = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    data.to_parquet(str(path))
    return open_source(str(path))


POISONED = {row: ["w0 w0"] for row in (3, 17, 40, 55)}
"""Captions of a word that no picture shows."""


def columns(out: Path, *names: str) -> list[list[Any]]:
    """Of the table of a matching."""
    table = load_table(out / "matches.parquet")
    return [table[name].to_pylist() for name in names]
