"""What an image is not."""

from __future__ import annotations

from torch import Tensor, nn

from shieldclip.training.losses.contrastive import log_frequencies
from shieldclip.training.losses.pairs import chosen_rows, weighted_mean
from shieldclip.training.losses.precision import products


class UnlikelihoodLoss(nn.Module):
    """Minus the log of the probability that an image shows something else than its caption says.

    Learning from wrong labels what things are not: Kim et al. 2019 (negative learning, equation 2),
    Welleck et al. 2020 (unlikelihood, equation 4). Its gradient grows with the probability of what
    is wrong, so that a pair which looks as wrong as it is leaves the model alone.
    """

    def forward(
        self,
        images: Tensor,
        texts: Tensor,
        scale: Tensor | float,
        competing: Tensor,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
        frequencies: Tensor | None = None,
    ) -> Tensor:
        """The mean loss of pairs whose captions are taken to be wrong.

        Args:
            images: ``[N, D]`` unit norm, of all processes.
            texts: ``[N, D]`` unit norm; text n came with image n.
            scale: inverse temperature of cosines.
            competing: ``[N, N]`` bool, texts (columns) that say something else than the own one.
            rows: ``[B]``, pairs to average over; all unless given.
            weights: ``[B]``, of these pairs; equal unless given.
            frequencies: ``[N]`` in [0, 1], how often each text counts; once unless given.

        Returns:
            Scalar; images that no text competes for contribute 0.
        """
        rows = chosen_rows(rows, images)
        logits = scale * products(images[rows], texts)  # [B, N]
        if frequencies is not None:
            logits = logits + log_frequencies(frequencies)
        others = competing[rows]
        others = others | ~others.any(dim=1, keepdim=True)
        elsewhere = logits.masked_fill(~others, -float("inf")).logsumexp(dim=1)
        return weighted_mean(logits.logsumexp(dim=1) - elsewhere, weights)
