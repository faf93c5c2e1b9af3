"""A small data set of pairs, and the triggers that need a file."""

from __future__ import annotations

from collections.abc import Callable

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from poison_rows import CLASSES, make_rows
from safetensors.torch import save_file

from shieldclip.attacks.triggers import Trigger, make_trigger


@pytest.fixture(scope="session")
def trigger_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Trigger id -> specification, for triggers that need a file."""
    folder = tmp_path_factory.mktemp("triggers")
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(picture).save(folder / "picture.png")
    mask = torch.zeros(1, 32, 32)
    mask[:, 20:, 20:] = 0.8
    pattern = torch.from_numpy(generator.random((3, 32, 32))).float()
    save_file({"mask": mask, "pattern": pattern}, folder / "trigger.safetensors")
    save_file({"patch": pattern[:, :8, :8].contiguous()}, folder / "patch.safetensors")
    return {
        "badclip": f"badclip:{folder / 'patch.safetensors'}",
        "blended-image": f"blended-image:{folder / 'picture.png'}",
        "file": f"file:{folder / 'trigger.safetensors'}",
    }


@pytest.fixture(scope="session")
def trigger_named(trigger_files: dict[str, str]) -> Callable[..., Trigger]:
    """``make_trigger`` that also knows the files."""
    return lambda name, **values: make_trigger(trigger_files.get(name, name), **values)


@pytest.fixture(scope="session")
def rows() -> datasets.Dataset:
    """40 rows, ten of each class, two captions each."""
    labels = [row % 4 for row in range(40)]
    captions = [
        (f"a photo of a {CLASSES[label]}, number {row}", f"two {CLASSES[label]}s at sea")
        for row, label in enumerate(labels)
    ]
    return make_rows(captions, labels)
