"""L_KE of Semantic Shield: the image's own knowledge is found in it, other knowledge is not."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import softplus

from shieldclip.training.losses.alignment import caption_scores
from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.pairs import chosen_rows, weighted_mean


class KnowledgeAlignmentLoss(nn.Module):
    """Binary cross-entropy of multi-instance patch-element scores over the batch.

    For every image, its own caption's score should be high, and those of captions that share no
    element with its own should be low. Captions that share one are left out. Own score and mean of
    the others count equally (ours), so the loss does not depend on the size of the batch. An
    image whose caption has no elements contributes 0.
    """

    def forward(
        self,
        patches: Tensor,
        elements: CaptionElements,
        scale: Tensor | float,
        bias: Tensor | float = 0.0,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The mean loss of images.

        Args:
            patches: ``[B, P, D]`` unit norm.
            elements: of N captions.
            scale: inverse temperature 1/τ_k.
            bias: added to scaled scores.
            rows: ``[B]``, the caption of each image; 0 to N - 1 unless given.
            weights: ``[B]``; equal unless given.

        Returns:
            Scalar.
        """
        scores = caption_scores(patches, elements)
        return self.on_scores(scores, elements, scale, bias, rows, weights)

    def on_scores(
        self,
        scores: Tensor,
        elements: CaptionElements,
        scale: Tensor | float,
        bias: Tensor | float = 0.0,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The same from `caption_scores` ``[B, N]``, where those are needed elsewhere too."""
        rows = chosen_rows(rows, scores)
        logits = scale * scores + bias
        others = elements.others(rows).to(logits.dtype)
        own_loss = softplus(-logits.gather(1, rows[:, None])[:, 0])  # -log sigmoid
        others_loss = (softplus(logits) * others).sum(-1) / others.sum(-1).clamp_min(1)
        per_pair = elements.known[rows] * (own_loss + others_loss) / 2
        return weighted_mean(per_pair, weights)
