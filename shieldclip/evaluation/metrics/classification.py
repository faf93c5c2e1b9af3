"""Zero-shot classification: CA, ASR, control and RA, all counted from one ranking of classes.

Let ``label`` be a picture's class and ``top`` the classes ranked by cosine similarity.

- **CA@k**: share of clean pictures whose label is among the first k.
- **ASR** for target t: share of *triggered* pictures with ``label != t`` classified as t.
- **Control**: the same share without trigger, or with an untrained one.
- **RA** for target t: share of triggered pictures with ``label != t`` classified as their label.

Pictures of the target class are out of numerator and denominator of the last three.
Equal similarities are ranked by class index, lowest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 1 << 24  # similarities held at a time


def top_classes(images: Tensor, classes: Tensor, k: int) -> Tensor:
    """Ranks the classes of each picture.

    Args:
        images: ``[N, D]`` embeddings.
        classes: ``[C, D]`` embeddings.
        k: how many classes to keep; all of them when there are fewer.

    Returns:
        ``[N, min(k, C)]`` int64 class indices on the CPU, most similar first.
    """
    step = max(1, _BLOCK // len(classes))
    blocks = [
        torch.sort(block @ classes.T, dim=1, descending=True, stable=True).indices[:, :k].cpu()
        for block in torch.split(images, step)
    ]
    return torch.cat(blocks)


def hits_in_top(top: Tensor, wanted: Tensor, k: int) -> int:
    """How many rows of ``top`` [N, K] hold ``wanted`` [N] among their first k."""
    return int((top[:, :k] == wanted[:, None]).any(dim=1).sum())


@dataclass(frozen=True)
class TargetCounts:
    """Counts for every class as the target, each ``[C]`` int64."""

    pictures: Tensor
    """Pictures of any other class: the denominator."""
    as_target: Tensor
    """Those classified as the target: numerator of ASR and control."""
    as_label: Tensor
    """Those classified as their own class: numerator of RA."""


def count_targets(predictions: Tensor, labels: Tensor, classes: int) -> TargetCounts:
    """Counts for all targets at once.

    Args:
        predictions: ``[N]`` predicted class of each picture.
        labels: ``[N]`` true class of each picture.
        classes: C.
    """
    right = predictions == labels
    return TargetCounts(
        pictures=len(labels) - torch.bincount(labels, minlength=classes),
        as_target=torch.bincount(predictions[~right], minlength=classes),
        as_label=right.sum() - torch.bincount(labels[right], minlength=classes),
    )


def worst_target(attacked: TargetCounts, control: TargetCounts) -> int:
    """The class of the largest ASR - control; of equal ones the first."""
    excess = attacked.as_target - control.as_target  # same pictures, hence the same denominator
    return int((excess / attacked.pictures.clamp(min=1)).argmax())
