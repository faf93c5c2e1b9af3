"""CLIP's own loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from shieldclip.training.losses.pairs import chosen_rows, weighted_mean
from shieldclip.training.losses.precision import products

_RAREST = 1e-4
"""Frequencies below this are no different in a batch."""


class ContrastiveLoss(nn.Module):
    """Symmetric InfoNCE between images and texts (CLIP, Radford et al. 2021, figure 3)."""

    def forward(
        self,
        images: Tensor,
        texts: Tensor,
        scale: Tensor | float,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
        frequencies: Tensor | None = None,
        negatives: Tensor | None = None,
    ) -> Tensor:
        """The mean loss of pairs.

        Args:
            images: ``[N, D]`` unit norm, of all processes.
            texts: ``[N, D]`` unit norm; text n belongs to image n.
            scale: inverse temperature of cosines.
            rows: ``[B]``, pairs to average over; all unless given.
            weights: ``[B]``, of these pairs; equal unless given.
            frequencies: ``[N]`` in [0, 1], how often each text counts as a negative of other
                images; once unless given.
            negatives: ``[N, N]`` bool, which images (rows) are negatives of which texts (columns);
                all unless given. An image is always its own text's positive.

        Returns:
            Scalar.
        """
        rows = chosen_rows(rows, images)
        losses = self.per_pair(images, texts, scale, rows, frequencies, negatives)
        return weighted_mean(losses, weights)

    def per_pair(
        self,
        images: Tensor,
        texts: Tensor,
        scale: Tensor | float,
        rows: Tensor,
        frequencies: Tensor | None = None,
        negatives: Tensor | None = None,
    ) -> Tensor:
        """The loss of each of ``rows``, ``[B]``; B may be 0."""
        others = rows[:, None] != torch.arange(len(texts), device=rows.device)
        image_to_text = scale * products(images[rows], texts)  # [B, N]
        if frequencies is not None:
            image_to_text = image_to_text + log_frequencies(frequencies) * others
        text_to_image = scale * products(texts[rows], images)  # [B, N]
        if negatives is not None:
            text_to_image = text_to_image.masked_fill(others & ~negatives.T[rows], -torch.inf)
        return (
            cross_entropy(image_to_text, rows, reduction="none")
            + cross_entropy(text_to_image, rows, reduction="none")
        ) / 2


def log_frequencies(frequencies: Tensor) -> Tensor:
    """What texts that count less than once add to their logits, ``[N]``."""
    return frequencies.clamp_min(_RAREST).log()
