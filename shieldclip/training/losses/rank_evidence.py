"""Evidence for a pair as a rank: does the image fit other captions better than its own?

An absolute score says little early in training, and a trigger can raise it; the rank among the
batch's captions needs no calibration and starts to inform after a few hundred steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.precision import products, widen

_SOFTENING = 0.01
"""Ranks below about 1 % are as good as first."""


@torch.no_grad()
def rivals(elements: CaptionElements) -> Tensor:
    """Captions that an image's own caption competes with ``[N, N]`` bool.

    All whose elements differ from its own; captions without elements compete with all but
    themselves.
    """
    incidence = elements.incidence().float()
    overlap, size = incidence @ incidence.T, incidence.sum(-1)
    equal = (overlap == size) & (overlap == size[:, None])
    return ~(equal & elements.known) & ~torch.eye(len(size), dtype=torch.bool, device=size.device)


@torch.no_grad()
def own_rank(scores: Tensor, competing: Tensor) -> Tensor:
    """The share of competing captions that score higher than the own one.

    Args:
        scores: ``[N, N]``, of images (rows) with captions.
        competing: ``[N, N]`` bool, see `rivals`.

    Returns:
        ``[N]`` in [0, 1], 0 is best; NaN where nothing competes.
    """
    better = (scores > scores.diagonal()[:, None]) & competing
    return better.sum(-1) / competing.sum(-1)


@torch.no_grad()
def caption_fit(images: Tensor, texts: Tensor, centring: float = 0.0) -> Tensor:
    """How well captions fit images.

    Args:
        images: ``[N, D]``.
        texts: ``[N, D]``.
        centring: share of a caption's mean over the images that is taken off, in [0, 1]. What a
            model learns first is which captions are frequent: those fit every image, and so does
            the one that many poisons share.

    Returns:
        ``[N, N]``.
    """
    scores = products(images, texts)
    return scores - centring * scores.mean(dim=0)


@torch.no_grad()
def knowledge_fit(logits: Tensor, elements: CaptionElements) -> Tensor:
    """How well images show the elements of captions.

    Args:
        logits: ``[N, U]``, of "image n shows element u".
        elements: of N captions.

    Returns:
        ``[N, N]``: mean over a caption's elements, each centred over the images, since some
        elements fit every image; 0 for captions without elements.
    """
    centred = widen(logits) - widen(logits).mean(dim=0)
    incidence = elements.incidence().to(centred.dtype)
    share = incidence / incidence.sum(-1, keepdim=True).clamp_min(1)
    return products(centred, share)


@torch.no_grad()
def sharpness(typical: Tensor) -> Tensor:
    """How sharply a judge ranks, from the rank that most pairs stay below: -log, at least 0."""
    return -(typical + _SOFTENING).clamp(max=1).log()


@torch.no_grad()
def joint_rank(by_caption: Tensor, by_knowledge: Tensor, weights: Tensor) -> Tensor:
    """Weighted geometric mean of two ranks.

    Args:
        by_caption: ``[N]`` in [0, 1].
        by_knowledge: ``[N]`` in [0, 1]; where it is NaN, the first rank stands alone.
        weights: ``[2]`` of the two, sums to 1.

    Returns:
        ``[N]`` in [0, 1].
    """
    first, second = ((rank + _SOFTENING).log() for rank in (by_caption, by_knowledge))
    joint = torch.where(second.isnan(), first, weights[0] * first + weights[1] * second)
    return (joint.exp() - _SOFTENING).clamp(0, 1)
