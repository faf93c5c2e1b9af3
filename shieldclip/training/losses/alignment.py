"""How well image patches explain knowledge elements (Semantic Shield, CVPR 2024).

``S[b, p, m] = <v[b, p], k[m]>`` throughout: patch p of image b, element m.
"""

from __future__ import annotations

from torch import Tensor

from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.precision import products


def caption_scores(patches: Tensor, elements: CaptionElements) -> Tensor:
    """``w[b, c] = mean_m max_p S[b, p, m]`` over the elements m of caption c.

    Multi-instance: every element is explained by its best patch.

    Args:
        patches: ``[B, P, D]`` unit norm.
        elements: of N captions.

    Returns:
        ``[B, N]`` in [-1, 1]; 0 for captions without elements.
    """
    best = products(patches, elements.embeddings).max(dim=1).values  # [B, P, U] -> [B, U]
    incidence = elements.incidence().to(best.dtype)
    share = incidence / incidence.sum(dim=-1, keepdim=True).clamp_min(1)
    return products(best, share)


def patch_scores(patches: Tensor, elements: CaptionElements, rows: Tensor) -> tuple[Tensor, Tensor]:
    """S of every image with its own caption's elements.

    Args:
        patches: ``[B, P, D]`` unit norm.
        elements: of N captions.
        rows: ``[B]``, the caption of each image.

    Returns:
        ``[B, P, M]``, and ``[B, M]`` bool, true at valid elements.
    """
    own, valid = elements.own(rows)
    return products(patches, own), valid


def patch_relevance(patches: Tensor, elements: CaptionElements, rows: Tensor) -> Tensor:
    """``r[b, p] = max_m S[b, p, m]`` over the own elements.

    Args:
        patches: ``[B, P, D]`` unit norm.
        elements: of N captions.
        rows: ``[B]``, the caption of each image.

    Returns:
        ``[B, P]`` in [-1, 1]; 0 where the caption has no elements.
    """
    scores, valid = patch_scores(patches, elements, rows)
    if scores.shape[-1] == 0:
        return scores.new_zeros(scores.shape[:-1])
    best = scores.masked_fill(~valid[:, None], -1).amax(dim=-1)
    return best.masked_fill(~valid.any(dim=-1, keepdim=True), 0)
