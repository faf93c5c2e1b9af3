"""Means over visits: by key, and of the latest batches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

MEANINGS = 1 << 18
"""Meanings of captions that are remembered apart; more than these share counts."""


def grown(table: Tensor, size: int) -> Tensor:
    """A table ``[n]`` with room for at least ``size`` entries; new ones are 0."""
    missing = size - len(table)
    return torch.cat([table, torch.zeros(missing)]) if missing > 0 else table


class RunningMeans:
    """One number per key, averaged over visits, in a table whose size is bounded.

    Keys that agree modulo ``slots`` share a mean.
    """

    def __init__(self, slots: int, keep: float) -> None:
        """An empty table.

        Args:
            slots: most means that are kept.
            keep: largest share of the old value in a new mean, so that old visits fade.
        """
        self.slots, self.keep = slots, keep
        self._means = torch.zeros(0)
        self._visits = torch.zeros(0)

    def update(self, keys: Tensor, values: Tensor) -> Tensor:
        """Enter the values of some visits.

        Args:
            keys: ``[N]`` int64, may repeat.
            values: ``[N]``; NaN is not entered.

        Returns:
            ``[N]`` mean of each key, this visit included; NaN where the value is.
        """
        known = ~values.isnan().cpu()
        slots, place = torch.unique(keys.cpu()[known] % self.slots, return_inverse=True)
        means = torch.full(values.shape, torch.nan)
        if len(slots):
            new = values.cpu().float()[known]
            self._grow(int(slots.max()) + 1)
            means[known] = self._enter(slots, place, new)[place]
        return means.to(values.device)

    def _enter(self, slots: Tensor, place: Tensor, new: Tensor) -> Tensor:
        count = torch.zeros(len(slots)).index_add_(0, place, torch.ones_like(new))
        fresh = torch.zeros(len(slots)).index_add_(0, place, new) / count
        seen = self._visits[slots]
        kept = (seen / (seen + count)).clamp(max=self.keep)
        self._means[slots] = kept * self._means[slots] + (1 - kept) * fresh
        self._visits[slots] += count
        return self._means[slots]

    def _grow(self, size: int) -> None:
        self._means, self._visits = grown(self._means, size), grown(self._visits, size)

    def state_dict(self) -> dict[str, Tensor]:
        """Means and numbers of visits."""
        return {"means": self._means, "visits": self._visits}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._means, self._visits = state["means"].clone(), state["visits"].clone()


class Smoothed:
    """An exponential mean over batches; what is averaged keeps its shape."""

    def __init__(self, keep: float) -> None:
        """Before the first batch.

        Args:
            keep: share of the old value in a new mean.
        """
        self.keep = keep
        self._mean: Tensor | None = None

    def update(self, value: Tensor) -> Tensor:
        """The mean, this batch's value included; the first value stands as it is."""
        value = value.cpu().float()
        before = value if self._mean is None else self._mean
        self._mean = self.keep * before + (1 - self.keep) * value
        return self._mean

    def state_dict(self) -> dict[str, Tensor]:
        """The mean, if there is one."""
        return {} if self._mean is None else {"mean": self._mean}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._mean = state["mean"].clone() if state else None
