"""How likely a pair's rank is that of a caption drawn at random, by what the caption means."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.defences.memory import MEANINGS, grown

_ROUNDS = 5
"""Of expectation and maximisation of the shares in each batch."""
_PSEUDO_VISITS = 4.0
"""What is known of all pairs counts as much as this many visits to pairs of one meaning."""
_MOST_VISITS = 200.0
"""Visits that are remembered of one meaning; older ones fade."""
_EARLY_VISITS = 20.0
"""Visits that are remembered of one meaning while the model cannot judge."""
_LEAST = 1e-6
"""Share of random captions, or of true ones, that there is of every meaning."""
_SMOOTHING = 0.9
"""Share of the old value in what is known of all pairs: the share of random captions, and the mean
rank of true ones."""


class Suspicion:
    """A mixture of two kinds of pairs, whose shares depend on what the caption means.

    The rank of a picture's true caption is near 0, taken as exponential; that of a caption drawn at
    random is uniform in [0, 1]. How many captions were drawn at random differs: whoever wants a
    trigger to mean one thing needs many wrong captions of that one meaning. There a rank must be
    very good to be believed, and everywhere else a pair may be unusual without being set aside.
    """

    def __init__(self, first_share: float, spread: float) -> None:
        """Before the first batch.

        Args:
            first_share: of random captions, before anything is known.
            spread: least mean rank that true captions are taken to have.
        """
        self._spread = spread
        self._suspects = torch.zeros(0)
        self._visits = torch.zeros(0)
        self._overall = torch.tensor(first_share)
        self._typical = torch.tensor(spread)

    def update(self, meanings: Tensor, ranks: Tensor) -> Tensor:
        """Enter a batch, and judge it.

        Args:
            meanings: ``[N]`` int64, equal for captions that mean the same.
            ranks: ``[N]`` in [0, 1].

        Returns:
            ``[N]``, log odds that each rank is that of a random caption: these tell ranks apart
            whose probabilities are all 1 in float32.
        """
        slots, place = torch.unique(meanings.cpu() % MEANINGS, return_inverse=True)
        self._grow(int(slots.max()) + 1)
        rank = ranks.cpu().float()
        count = torch.zeros(len(slots)).index_add_(0, place, torch.ones_like(rank))
        remembered, visits = self._suspects[slots], self._visits[slots]
        suspects, odds = remembered, rank
        for round_ in range(_ROUNDS):
            shares = self._shares(suspects, visits + (count if round_ else 0))
            odds = _log_odds(rank, shares[place], self._typical)
            suspects = remembered.index_add(0, place, odds.sigmoid())
        self._remember(slots, suspects, visits + count)
        posterior = odds.sigmoid()
        believed = 1 - posterior
        typical = (believed * rank).sum() / believed.sum().clamp_min(1e-6)
        fresh = 1 - _SMOOTHING
        self._overall = torch.lerp(self._overall, posterior.mean(), fresh)
        typical = torch.lerp(self._typical, typical, fresh * believed.mean())
        self._typical = typical.clamp_min(self._spread)
        return odds.to(ranks.device)

    @property
    def overall(self) -> float:
        """Share of random captions among all, of late."""
        return float(self._overall)

    def shares(self, meanings: Tensor) -> Tensor:
        """How many of the captions that mean each of these ``[N]`` are random, ``[N]``."""
        slots = meanings.cpu() % MEANINGS
        self._grow(int(slots.max()) + 1)
        return self._shares(self._suspects[slots], self._visits[slots]).to(meanings.device)

    def accuse(self, meanings: Tensor) -> None:
        """Enter pairs that another judge suspects: ``[N]`` meanings of their captions."""
        slots, count = torch.unique(meanings.cpu() % MEANINGS, return_counts=True)
        if len(slots):
            self._grow(int(slots.max()) + 1)
            self._remember(slots, self._suspects[slots] + count, self._visits[slots] + count)

    def fade(self) -> None:
        """Forget most visits: they were judged by a model that cannot yet."""
        fading = (_EARLY_VISITS / self._visits.clamp_min(1)).clamp(max=1)
        self._suspects, self._visits = fading * self._suspects, fading * self._visits

    def _shares(self, suspects: Tensor, visits: Tensor) -> Tensor:
        return (suspects + _PSEUDO_VISITS * self._overall) / (visits + _PSEUDO_VISITS)

    def _remember(self, slots: Tensor, suspects: Tensor, visits: Tensor) -> None:
        fading = (_MOST_VISITS / visits).clamp(max=1)
        self._suspects[slots], self._visits[slots] = fading * suspects, fading * visits

    def _grow(self, size: int) -> None:
        self._suspects, self._visits = grown(self._suspects, size), grown(self._visits, size)

    def state_dict(self) -> dict[str, Tensor]:
        """Counts of meanings, and what is known of all pairs."""
        return {
            "suspects": self._suspects,
            "visits": self._visits,
            "overall": self._overall,
            "typical": self._typical,
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._suspects, self._visits = state["suspects"].clone(), state["visits"].clone()
        self._overall, self._typical = state["overall"].clone(), state["typical"].clone()


def _log_odds(rank: Tensor, share: Tensor, typical: Tensor) -> Tensor:
    """Of the uniform component; the other is exponential with this mean, cut off at 1."""
    density = -rank / typical - torch.log(typical * -torch.expm1(-1 / typical))
    return torch.logit(share, _LEAST) - density
