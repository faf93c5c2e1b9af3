"""A tiny random CLIP to look into: 32 pixels, four patches, and two pictures of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shieldclip.attacks.triggers import make_trigger
from shieldclip.explanation import Question, Subject, load_subject
from shieldclip.explanation.choices import Choices
from shieldclip.explanation.pictures import Picture

NAMES = ("banana", "red apple", "guitar", "cat", "dog", "truck")


@pytest.fixture(scope="session")
def subject(tiny_clip_folder: Path) -> Subject:
    return load_subject(str(tiny_clip_folder), "cpu")


@pytest.fixture
def pictures() -> list[Picture]:
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    return [Picture(f"noise {i}", Image.fromarray(pixels), i) for i, pixels in enumerate(noise)]


@pytest.fixture
def question() -> Question:
    """Six classes in two templates, without knowledge."""
    choices = Choices.of_classes(NAMES, ("a photo of a {}.", "a drawing of the {}"))
    return Question(choices, "badnet", make_trigger("badnet"))
