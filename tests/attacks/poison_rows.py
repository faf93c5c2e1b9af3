"""Small data sets of pairs, to be poisoned."""

from __future__ import annotations

import io
from collections.abc import Sequence

import datasets
import numpy as np
from PIL import Image

CLASSES = ("banana", "owl", "dog", "boat")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def pixels_of(row: dict) -> np.ndarray:
    """Image column of a row -> [H, W, 3] uint8."""
    return np.array(Image.open(io.BytesIO(row["image"]["bytes"])))


def make_rows(captions: Sequence[Sequence[str]], labels: Sequence[int] | None) -> datasets.Dataset:
    """Random 40 x 48 pictures with these captions."""
    generator = np.random.default_rng(1)
    images = [
        {
            "bytes": png(generator.integers(0, 256, (40, 48, 3), dtype=np.uint8)),
            "path": f"{row}.png",
        }
        for row in range(len(captions))
    ]
    columns = {"image": images, "captions": [list(texts) for texts in captions]}
    features = {
        "image": datasets.Image(decode=False),
        "captions": datasets.List(datasets.Value("string")),
    }
    if labels is not None:
        columns["label"] = list(labels)
        features["label"] = datasets.ClassLabel(names=list(CLASSES))
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))
