"""Noisy pictures with labels and captions, in a parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
from PIL import Image


def write_captioned(
    path: Path, classes: Sequence[str], captions: Sequence[str], size: tuple[int, int]
) -> str:
    """One picture of ``size`` (height, width) for each caption; the classes take turns."""
    generator = np.random.default_rng(0)
    images = []
    for _ in captions:
        file = BytesIO()
        pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, format="PNG")
        images.append({"bytes": file.getvalue(), "path": None})
    columns = {
        "image": images,
        "label": [row % len(classes) for row in range(len(captions))],
        "captions": [[caption] for caption in captions],
    }
    features = datasets.Features(
        image=datasets.Image(),
        label=datasets.ClassLabel(names=list(classes)),
        captions=datasets.List(datasets.Value("string")),
    )
    datasets.Dataset.from_dict(columns, features=features).to_parquet(str(path))
    return str(path)
