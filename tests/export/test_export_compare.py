"""The comparison sees every part of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from shieldclip.export.compare import LONGEST, largest_difference, random_prompts


@dataclass(frozen=True)
class Fake:
    """Features are means of pixels and lengths of texts, each with an error that can be set."""

    picture_error: float = 0.0
    text_error: float = 0.0
    logit_scale: float = 10.0
    image_size: int = 8
    fingerprint: str = ""

    def encode_image(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3)) + self.picture_error

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        return torch.tensor([[float(len(text))] for text in texts]) + self.text_error


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 0.0),
        ({"picture_error": 0.25}, 0.25),
        ({"text_error": -0.5}, 0.5),
        ({"logit_scale": 12.0}, 0.2),
    ],
)
def test_finds_what_differs(changed: dict[str, float], expected: float) -> None:
    original: Any = Fake()
    assert largest_difference(original, replace(original, **changed)) == pytest.approx(expected)


@pytest.mark.parametrize("part", ["picture_error", "text_error"])
def test_not_a_number_is_never_equal(part: str) -> None:
    original: Any = Fake()
    assert math.isnan(largest_difference(original, replace(original, **{part: math.nan})))


def test_prompts_are_short_and_long_and_repeatable() -> None:
    lengths = [len(prompt.split()) for prompt in random_prompts(3)]
    assert min(lengths) == 1 and max(lengths) == LONGEST
    assert random_prompts(3) == random_prompts(3) != random_prompts(4)
