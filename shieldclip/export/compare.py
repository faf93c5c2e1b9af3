"""Do two models say the same? Asked with random pictures and prompts."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from shieldclip.types import Encoder

PICTURES = 3
PROMPTS = 12
TYPED = "a photo of <|endoftext|> in a text"
"""A special token that somebody typed."""
LONGEST = 120
"""Words in a prompt at most: beyond every context length in use, so that texts are cut too."""


class Towers(Protocol):
    """The part of an `Encoder` that every format has."""

    fingerprint: str
    """As of an `Encoder`, or ``""``."""
    logit_scale: float

    def encode_image(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, D]`` unit norm."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """N texts -> ``[N, D]`` unit norm."""
        ...


@torch.no_grad()
def largest_difference(encoder: Encoder, exported: Towers, seed: int = 0) -> float:
    """Compare features of random pictures and prompts, and the scales.

    Args:
        encoder: what was exported.
        exported: what was read back.
        seed: of pictures and prompts.

    Returns:
        The largest absolute difference of a feature's component, or the relative difference of
        the logit scales if that is larger; NaN if any feature is.
    """
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(PICTURES, 3, encoder.image_size, encoder.image_size, generator=generator)
    prompts = [*random_prompts(seed), TYPED]
    differences = (
        _apart(encoder.encode_image(pictures), exported.encode_image(pictures)),
        _apart(encoder.encode_text(prompts), exported.encode_text(prompts)),
        # A single prompt is not padded.
        _apart(encoder.encode_text(prompts[:1]), exported.encode_text(prompts[:1])),
        abs(exported.logit_scale / encoder.logit_scale - 1),
    )
    return float(torch.tensor(differences).max())  # unlike Python's, NaN if any of them is


def random_prompts(seed: int) -> list[str]:
    """Prompts of 1 to `LONGEST` made-up words."""
    source = random.Random(seed)
    lengths = [1, LONGEST, *(source.randint(2, LONGEST) for _ in range(PROMPTS - 2))]
    return [" ".join(_word(source) for _ in range(length)) for length in lengths]


def _word(source: random.Random) -> str:
    letters = source.choices(string.ascii_letters + string.digits + "-'", k=source.randint(1, 9))
    return "".join(letters) + source.choice(["", "", ".", ","])


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())
