"""Which image patches a training step sees."""

from __future__ import annotations

from torch import Tensor

from shieldclip.attacks.triggers.counter import uniform
from shieldclip.training.pairs.augmentation import PATCHES


def draw_patches(visits: Tensor, patches: int, kept: int, seed: int) -> Tensor:
    """Random patches of every image, in their order in the image.

    Args:
        visits: ``[B]``, see `visit_ids`.
        patches: P.
        kept: K of them.
        seed: of the run.

    Returns:
        ``[B, K]`` indices.
    """
    numbers = uniform(seed, PATCHES, visits, (patches,))
    return numbers.argsort(dim=1, stable=True)[:, :kept].sort(dim=1).values
