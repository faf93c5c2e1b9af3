"""Which knowledge elements an image shows: each element is an attribute of its own."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import softplus

from shieldclip.training.losses.elements import CaptionElements
from shieldclip.training.losses.pairs import weighted_mean


class ElementPresenceLoss(nn.Module):
    """Binary cross-entropy per image and element (ours, in place of L_KE's one per caption).

    An element that many captions share, such as *yellow* or *wheel*, is learned from all of them,
    and no caption has to be left out because it shares one. The own elements count as much as all
    others together. An image whose caption has no elements contributes 0.
    """

    def forward(
        self, logits: Tensor, elements: CaptionElements, rows: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """The mean loss of images.

        Args:
            logits: ``[B, U]``, of "image b shows element u".
            elements: of N captions.
            rows: ``[B]``, the caption of each image.
            weights: ``[B]``; equal unless given.

        Returns:
            Scalar.
        """
        own = elements.incidence()[rows].to(logits.dtype)  # [B, U]
        shown = (softplus(-logits) * own).sum(-1) / own.sum(-1).clamp_min(1)
        absent = (softplus(logits) * (1 - own)).sum(-1) / (1 - own).sum(-1).clamp_min(1)
        return weighted_mean(elements.known[rows] * (shown + absent) / 2, weights)
