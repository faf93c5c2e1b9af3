"""L_CL · λ of Semantic Shield: pairs that knowledge supports weigh more."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from shieldclip.training.losses.contrastive import ContrastiveLoss
from shieldclip.training.losses.knowledge_weights import proportional_weights, warmed_up
from shieldclip.training.losses.pairs import chosen_rows


class KnowledgeWeightedContrastiveLoss(nn.Module):
    """InfoNCE with a weight λ per pair, λ a function of knowledge evidence without gradient."""

    def __init__(
        self, weighting: Callable[[Tensor], Tensor] = proportional_weights, warm_up: int = 0
    ) -> None:
        """Choose the weights.

        Args:
            weighting: evidence ``[N]`` -> weights ``[N]`` of mean 1, see `knowledge_weights`.
            warm_up: steps in which every weight is 1.
        """
        super().__init__()
        self.weighting, self.warm_up = weighting, warm_up
        self.contrastive = ContrastiveLoss()

    def weights(self, evidence: Tensor, step: int) -> Tensor:
        """λ ``[N]`` of a batch at a training step."""
        return warmed_up(self.weighting(evidence), step, self.warm_up)

    def forward(
        self,
        images: Tensor,
        texts: Tensor,
        scale: Tensor | float,
        evidence: Tensor,
        step: int,
        rows: Tensor | None = None,
    ) -> Tensor:
        """The weighted mean loss of pairs.

        Args:
            images: ``[N, D]`` unit norm, of all processes.
            texts: ``[N, D]`` unit norm; text n belongs to image n.
            scale: inverse temperature of cosines.
            evidence: ``[N]``, for the pairs of all processes.
            step: training step, from 0.
            rows: ``[B]``, pairs to average over; all unless given.

        Returns:
            Scalar.
        """
        rows = chosen_rows(rows, images)
        weights = self.weights(evidence, step)[rows]
        loss: Tensor = self.contrastive(images, texts, scale, rows, weights)
        return loss
