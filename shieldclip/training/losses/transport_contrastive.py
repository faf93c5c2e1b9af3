"""InfoNCE whose logits are transport costs instead of cosines."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from shieldclip.training.losses.pairs import weighted_mean
from shieldclip.transport.pairwise import hardest_captions, pairwise_cost

_FLOOR = -1e4
"""Of logits: a set without vectors is infinitely far away."""


class TransportContrastiveLoss(nn.Module):
    """Each set against its own partner and the most similar others (OTCCLIP, EMNLP 2025).

    Between patches and words it is the inter-modal loss, between two views of either the
    intra-modal one. Only ``candidates`` problems per set are solved, chosen by global features.
    """

    def __init__(self, candidates: int, epsilon: float) -> None:
        """What is compared, and how exactly.

        Args:
            candidates: K, partners per set, the own one included.
            epsilon: strength ε of the entropy.
        """
        super().__init__()
        self.candidates, self.epsilon = candidates, epsilon

    def forward(
        self,
        left: Tensor,
        left_mask: Tensor,
        right: Tensor,
        right_mask: Tensor,
        similarity: Tensor,
        scale: Tensor | float,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Mean of both directions.

        Args:
            left: ``[B, P, D]`` unit norm.
            left_mask: ``[B, P]`` bool, true where there is a vector.
            right: ``[B, L, D]`` unit norm; set b belongs to set b on the left.
            right_mask: ``[B, L]`` bool.
            similarity: ``[B, B]`` of global features, left to right; ``-inf`` where two sets are
                no negatives of each other, e.g. for equal captions.
            scale: inverse temperature of costs.
            weights: ``[B]``, of pairs; equal unless given.

        Returns:
            Scalar.
        """
        there = self._direction(left, left_mask, right, right_mask, similarity, scale)
        back = self._direction(right, right_mask, left, left_mask, similarity.T, scale)
        return weighted_mean((there + back) / 2, weights)

    def _direction(
        self,
        sets: Tensor,
        mask: Tensor,
        others: Tensor,
        others_mask: Tensor,
        similarity: Tensor,
        scale: Tensor | float,
    ) -> Tensor:
        """Loss of each set ``[B]``."""
        own = torch.arange(len(sets), device=sets.device)
        candidates = hardest_captions(similarity, own, self.candidates)  # [B, K], own first
        costs = pairwise_cost(
            sets,
            others,
            others_mask,
            patch_weights=mask.to(sets.dtype),
            candidates=candidates,
            epsilon=self.epsilon,
        )
        excluded = similarity.gather(1, candidates).isneginf()
        excluded[:, 0] = False
        logits = (-scale * costs).clamp_min(_FLOOR).masked_fill(excluded, -torch.inf)
        return cross_entropy(logits, torch.zeros_like(own), reduction="none")
