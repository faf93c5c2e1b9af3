"""A reward for leaving where training began."""

from __future__ import annotations

from torch import Tensor, nn

from shieldclip.training.losses.pairs import chosen_rows
from shieldclip.training.losses.precision import widen


class DepartureLoss(nn.Module):
    """Minus the mean squared distance to the start, until that is far enough.

    PAR (Singh et al. 2024): ``-S · 1(S <= τ)``. Of unit-norm embeddings S lies in [0, 4], and is 2
    where they are orthogonal to what they were.
    """

    def __init__(self, threshold: float) -> None:
        """``threshold``: τ."""
        super().__init__()
        self.threshold = threshold

    def forward(self, embeds: Tensor, start: Tensor, rows: Tensor | None = None) -> Tensor:
        """Reward of a batch; 0, without gradient, beyond the threshold.

        Args:
            embeds: ``[N, D]`` unit norm, of all processes.
            start: ``[N, D]`` unit norm, of the model before training.
            rows: ``[B]``, to average over; all unless given. The threshold judges all N.

        Returns:
            Scalar, at most 0.
        """
        rows = chosen_rows(rows, embeds)
        distances = (widen(embeds) - widen(start)).square().sum(dim=1)  # [N]
        near = distances.detach().mean() <= self.threshold
        return -near.to(distances.dtype) * distances[rows].mean()
