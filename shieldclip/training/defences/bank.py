"""A bank of embeddings: the last ones that were seen."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.losses.precision import products, widen


class Bank:
    """First in, first out; no gradient. ``size`` x D numbers once it is full."""

    def __init__(self, size: int) -> None:
        """An empty bank."""
        self.size = size
        self._rows = torch.zeros(0, 0)

    @property
    def full(self) -> bool:
        """Whether it holds as many embeddings as it may; before, the nearest is rarely near."""
        return len(self._rows) == self.size

    def push(self, embeds: Tensor) -> None:
        """Take in embeddings ``[N, D]``; the oldest make room."""
        new = widen(embeds.detach())
        kept = self._rows.to(new) if len(self._rows) else new[:0]
        self._rows = torch.cat([kept, new])[-self.size :]

    def nearest(self, embeds: Tensor) -> Tensor:
        """For each of ``[B, D]`` unit-norm embeddings the bank's of largest cosine, ``[B, D]``.

        The bank must not be empty.
        """
        rows = self._rows.to(embeds.device)
        return rows[products(embeds.detach(), rows).argmax(dim=1)]

    def state_dict(self) -> dict[str, Tensor]:
        """All embeddings, oldest first."""
        return {"rows": self._rows}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._rows = state["rows"].clone()
