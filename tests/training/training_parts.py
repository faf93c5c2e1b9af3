"""Pictures, recipes, shards and interrupted runs that several tests need."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import TrainerCallback

from shieldclip.training import run
from shieldclip.training.recipe import Recipe

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220)}
SHAPES = ("square", "bar", "frame")
PICTURES = 40


def picture(colour: str, shape: str, noise: np.random.Generator) -> Image.Image:
    pixels = noise.integers(180, 256, (20, 24, 3), dtype=np.uint8)
    top, left = noise.integers(0, 8, 2)
    pixels[top : top + 10, left : left + (3 if shape == "bar" else 10)] = COLOURS[colour]
    if shape == "frame":
        pixels[top + 2 : top + 8, left + 2 : left + 8] = 255
    return Image.fromarray(pixels)


CAPTIONS = ["a red square", "a green bar", "a blue frame"]


def build(record: dict[str, Any], **groups: Any) -> Recipe:
    """The recipe with some values changed: ``optimiser={"ema": 0.9}``."""
    changed = {
        name: {**record.get(name, {}), **values} if isinstance(values, dict) else values
        for name, values in groups.items()
    }
    return Recipe.model_validate({**record, **changed})


def png(number: int) -> bytes:
    buffer = io.BytesIO()
    colour, shape = CAPTIONS[number % 3].split()[1:]
    picture(colour, shape, np.random.default_rng(number)).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, pairs: int) -> None:
    """A WebDataset shard."""
    with tarfile.open(path, "w") as tar:
        for n in range(pairs):
            for suffix, content in (("png", png(n)), ("txt", CAPTIONS[n % 3].encode())):
                member = tarfile.TarInfo(f"{path.stem}{n:03}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "last" / "model.safetensors")


def assert_equal_weights(first: Path, second: Path, **tolerance: float) -> None:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], **(tolerance or {"atol": 0, "rtol": 0}))


class Killed(BaseException):
    """What a kill looks like from inside."""


class KillAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_begin(self, _args, state, _control, **_):
        if state.global_step == self.step:
            raise Killed


def train_killed(monkeypatch, recipe, out: Path, step: int) -> None:
    original = run._add_callbacks

    def with_kill(trainer, *rest):
        original(trainer, *rest)
        trainer.add_callback(KillAt(step))

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(run, "_add_callbacks", with_kill)
        run.train(recipe, out)
