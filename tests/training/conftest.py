"""A folder of pictures with captions, and a recipe that trains on it in a second."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_parts import COLOURS, PICTURES, SHAPES, picture


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures and their captions in `metadata.csv`."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "caption"])
        for number in range(PICTURES):
            colour, shape = list(COLOURS)[number % 3], SHAPES[number // 3 % 3]
            picture(colour, shape, noise).save(folder / f"{number:03}.png")
            table.writerow([f"{number:03}.png", f"a {colour} {shape}"])
    return folder


@pytest.fixture
def record(picture_folder: Path, tmp_path: Path) -> dict[str, Any]:
    """A recipe as it would stand in YAML: six steps of eight pairs."""
    knowledge = tmp_path / "knowledge.jsonl"
    lines = [f'{{"text": "{c}", "elements": ["{c} paint", "colour"]}}' for c in COLOURS]
    lines += [f'{{"text": "{s}", "elements": ["{s} edges"]}}' for s in SHAPES]
    knowledge.write_text("\n".join(lines))
    return {
        "model": {
            "image_size": 16,
            "patch_size": 8,
            "width": 16,
            "depth": 2,
            "heads": 2,
            "text_width": 16,
            "text_depth": 1,
            "text_heads": 2,
            "joint_width": 8,
            "context": 8,
        },
        "data": {"sources": str(picture_folder)},
        "defence": {"name": "plain"},
        "knowledge": {"source": str(knowledge)},
        "optimiser": {"samples": 48, "batch_size": 8},
        "evaluation": {"every": 0.5},
        "log": {"every": 2, "save_every": 0.5},
    }
