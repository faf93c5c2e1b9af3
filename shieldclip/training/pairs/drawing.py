"""One caption a visit."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from shieldclip.attacks.triggers.counter import uniform
from shieldclip.training.pairs.augmentation import CAPTION


def draw_captions(captions: Sequence[Sequence[str]], visits: Tensor, seed: int) -> list[str]:
    """One of each pair's captions.

    Args:
        captions: one or several of each of B pairs.
        visits: ``[B]``, see `visit_ids`.
        seed: of the run.
    """
    draws = uniform(seed, CAPTION, visits, ()).tolist()
    return [own[int(draw * len(own))] for own, draw in zip(captions, draws, strict=True)]
