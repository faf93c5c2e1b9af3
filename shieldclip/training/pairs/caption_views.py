"""Second views of captions: the same words, some of them missing or in another place."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from shieldclip.attacks.triggers.counter import uniform
from shieldclip.training.pairs.augmentation import WORDS

_DROPPED = 0.15
"""Share of words that are left out."""
_REACH = 1.5
"""How far a word may move, in words."""
_LONGEST = 64
"""Words of a caption that are changed; later ones stay."""


def vary_captions(captions: Sequence[str], visits: Tensor, seed: int) -> list[str]:
    """Drop and shuffle words (Wei and Zou 2019), differently at every visit.

    Args:
        captions: B of them.
        visits: ``[B]``, see `visit_ids`.
        seed: of the run.

    Returns:
        B captions, each with at least one word of its own.
    """
    draws = uniform(seed, WORDS, visits, (2, _LONGEST)).tolist()
    return [_vary(text, *drawn) for text, drawn in zip(captions, draws, strict=True)]


def _vary(caption: str, dropping: Sequence[float], moving: Sequence[float]) -> str:
    words = caption.split()
    first, rest = words[:_LONGEST], words[_LONGEST:]
    places = sorted(range(len(first)), key=lambda place: place + _REACH * moving[place])
    kept = [first[place] for place in places if dropping[place] >= _DROPPED]
    return " ".join([*(kept or first), *rest])
