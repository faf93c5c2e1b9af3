"""From knowledge to weights of training pairs: evidence for a pair, then a weight.

Evidence is one number a pair, NaN where there is nothing to judge by (a caption without elements).
Weights have mean 1 over the batch, never gradient, and are 1 where evidence is missing. Published
(Semantic Shield): `absolute_evidence` with `proportional_weights`. Ours: `relative_evidence` with
`trimmed_weights`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.precision import widen


@torch.no_grad()
def absolute_evidence(attention: Tensor, relevance: Tensor, known: Tensor) -> Tensor:
    """``Σ_p a[b, p] r[b, p]``: how well what the image attends to fits its caption's knowledge.

    Args:
        attention: ``[B, P]``, sums to 1 over patches.
        relevance: ``[B, P]`` in [-1, 1], see `patch_relevance`.
        known: ``[B]`` bool, captions with elements.

    Returns:
        ``[B]`` in [-1, 1] or NaN.
    """
    evidence = (widen(attention) * widen(relevance)).sum(dim=-1)
    return evidence.masked_fill(~known, torch.nan)


@torch.no_grad()
def relative_evidence(scores: Tensor, elements: CaptionElements) -> Tensor:
    """How much better the image explains its own caption's elements than any other caption's.

    Scores are first centred per caption over the images: some elements fit every image. Captions
    that share an element with the own one are no rivals.

    Args:
        scores: ``[N, N]``, `caption_scores` of all images of the batch.
        elements: of its N captions.

    Returns:
        ``[N]``, own score minus the best rival's, or NaN (also where there is no rival).
    """
    centred = widen(scores) - widen(scores).mean(dim=0)
    rows = torch.arange(len(scores), device=scores.device)
    rivals = elements.others(rows)
    best = centred.masked_fill(~rivals, -torch.inf).amax(dim=-1)
    judged = elements.known & rivals.any(dim=-1)
    return (centred.diagonal() - best).masked_fill(~judged, torch.nan)


@torch.no_grad()
def proportional_weights(evidence: Tensor) -> Tensor:
    """Weights in proportion to evidence, none below 0.

    Args:
        evidence: ``[N]``, of the whole batch.

    Returns:
        ``[N]``, mean 1; all 1 where no evidence is positive.
    """
    positive = widen(evidence).clamp_min(0)
    mean = positive.nanmean()
    return torch.where(mean > 0, positive / mean, 1.0).nan_to_num(nan=1.0)


@torch.no_grad()
def trimmed_weights(evidence: Tensor, share: float = 0.25) -> Tensor:
    """Weight 0 for the pairs with least evidence, equal weights for the others.

    Args:
        evidence: ``[N]``, of the whole batch.
        share: of judged pairs to drop, in [0, 1).

    Returns:
        ``[N]``, mean 1.
    """
    judged = int((~evidence.isnan()).sum())
    dropped = int(share * judged)
    # NaN sorts last, so the first places are the least evidence.
    lowest = evidence.argsort(stable=True)[:dropped]
    weights = torch.full_like(widen(evidence), judged / max(judged - dropped, 1))
    weights[lowest] = 0
    return weights.masked_fill(evidence.isnan(), 1)


def warmed_up(weights: Tensor, step: int, warm_up: int) -> Tensor:
    """``weights``, but all 1 in the first ``warm_up`` steps: alignment is random at the start."""
    return torch.ones_like(weights) if step < warm_up else weights
