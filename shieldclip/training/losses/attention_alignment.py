"""L_Attn of Semantic Shield: attention goes where the caption's knowledge is found."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from shieldclip.training.losses.alignment import patch_relevance, patch_scores
from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.pairs import chosen_rows, weighted_mean
from shieldclip.training.losses.precision import widen

_LEAST = 2e-5
"""Attention that counts as none: the gradient of its logarithm fits float16."""


class AttentionAlignmentLoss(nn.Module):
    """``KL(softmax(r / τ_a) || a)`` (ours): attention in proportion to relevance.

    The relevance r is a target and gets no gradient. A caption without elements contributes 0.
    """

    def forward(
        self,
        attention: Tensor,
        patches: Tensor,
        elements: CaptionElements,
        scale: Tensor | float,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The mean divergence of images.

        Args:
            attention: ``[B, P]``, sums to 1 over patches.
            patches: ``[B, P, D]`` unit norm.
            elements: of N captions.
            scale: inverse temperature 1/τ_a.
            rows: ``[B]``, the caption of each image; 0 to N - 1 unless given.
            weights: ``[B]``; equal unless given.

        Returns:
            Scalar.
        """
        rows = chosen_rows(rows, attention)
        relevance = patch_relevance(patches, elements, rows).detach()
        target = (scale * relevance).log_softmax(dim=-1)
        paid = widen(attention)
        log_paid = paid.clamp_min(_LEAST).log()
        divergence = (target.exp() * (target - log_paid)).sum(dim=-1)  # [B, P] -> [B]
        return weighted_mean(elements.known[rows] * divergence, weights)


class AttentionAlignmentBCELoss(nn.Module):
    """The paper's form: cross-entropy of attention-scaled against plain patch-element scores.

    ``BCE(sigmoid(a S / τ_a), sigmoid(S / τ_a))``, the plain scores being the target. Negative
    scores count as 0 (ours): multiplied by attention, they would attract it as positive ones do.
    Attention and patches both get gradient. A caption without elements contributes 0.
    """

    def forward(
        self,
        attention: Tensor,
        patches: Tensor,
        elements: CaptionElements,
        scale: Tensor | float,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The mean cross-entropy of images; arguments as in `AttentionAlignmentLoss`."""
        rows = chosen_rows(rows, attention)
        scores, valid = patch_scores(patches, elements, rows)  # [B, P, M], [B, M]
        plain = scale * scores.clamp_min(0)
        scaled = plain * widen(attention)[..., None]
        entropy = binary_cross_entropy_with_logits(
            scaled, plain.detach().sigmoid(), reduction="none"
        )
        per_element = entropy.mean(dim=1) * valid  # [B, M]
        per_pair = per_element.sum(dim=-1) / valid.sum(dim=-1).clamp_min(1)
        return weighted_mean(per_pair, weights)
