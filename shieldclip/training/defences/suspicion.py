"""How likely a pair's rank is that of a wrong caption, by what the caption means and says."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.defences.memory import MEANINGS, grown
from shieldclip.training.defences.rank_densities import EVEN, log_density, scale_of

NO_CUE = torch.iinfo(torch.int64).min
"""Fills up the cues of captions that have few."""

_ROUNDS = 5
"""Of expectation and maximisation of the shares in each batch."""
_PSEUDO_VISITS = 4.0
"""What is known of all pairs counts as much as this many visits to pairs with one cue."""
_MOST_VISITS = 200.0
"""Visits that are remembered of one cue; older ones fade."""
_EARLY_VISITS = 20.0
"""Visits that are remembered of one cue while the model cannot judge."""
_LEAST = 1e-6
"""Share of wrong captions, or of true ones, that there is of every cue."""
_SMOOTHING = 0.9
"""Share of the old value in what is known of all pairs: the share of random captions, and the mean
rank of true ones."""


class Suspicion:
    """A mixture of two kinds of pairs, whose shares depend on what the caption means.

    The rank of a picture's true caption is near 0, taken as exponential; that of a caption drawn at
    random is uniform in [0, 1]. How many captions were drawn at random differs: whoever wants a
    trigger to mean one thing needs many wrong captions of that one meaning. There a rank must be
    very good to be believed, and everywhere else a pair may be unusual without being set aside.

    A wrong caption may also nearly fit, but for one word. Then the word is the cue, and how near
    its misfits come is estimated with their share: ranks that are all a little worse than those of
    other captions are suspicious together, and not one by one. A pair is as suspicious as the worst
    of its cues makes it.
    """

    def __init__(self, first_share: float, spread: float, least_misfit: float = EVEN) -> None:
        """Before the first batch.

        Args:
            first_share: of random captions, before anything is known.
            spread: least mean rank that true captions are taken to have.
            least_misfit: least mean rank that wrong ones are taken to have; 0.5 if all are random.
        """
        self._spread, self._least_misfit = spread, least_misfit
        self._suspects = torch.zeros(0)
        self._visits = torch.zeros(0)
        self._misfits = torch.zeros(0)
        self._overall = torch.tensor(first_share)
        self._typical = torch.tensor(spread)

    def update(self, cues: Tensor, ranks: Tensor) -> Tensor:
        """Enter a batch, and judge it.

        Args:
            cues: ``[N, K]`` int64, what captions may be judged by together: the same number is the
                same meaning or word; `NO_CUE` where there are fewer.
            ranks: ``[N]`` in [0, 1].

        Returns:
            ``[N]``, log odds that each rank is that of a wrong caption: these tell ranks apart
            whose probabilities are all 1 in float32.
        """
        known = (cues != NO_CUE).cpu()
        slots, place = torch.unique(cues.cpu() % MEANINGS, return_inverse=True)
        self._grow(int(slots.max()) + 1)
        rank = ranks.cpu().float()
        pair, entry = known.nonzero()[:, 0], place[known]
        count = torch.bincount(entry, minlength=len(slots)).float()
        remembered, misfits_before = self._suspects[slots], self._misfits[slots]
        visits = self._visits[slots]
        suspects, misfits, odds = remembered, misfits_before, rank
        for round_ in range(_ROUNDS):
            shares = self._shares(suspects, visits + (count if round_ else 0))
            scales = self._scales(suspects, misfits)[place]
            wrong = torch.logit(shares, _LEAST)[place] + log_density(rank[:, None], scales)
            worst = wrong.masked_fill(~known, -torch.inf).amax(dim=1)
            odds = worst - log_density(rank, self._typical)
            risk = odds.sigmoid()
            suspects = remembered.index_add(0, entry, risk[pair])
            misfits = misfits_before.index_add(0, entry, (risk * rank)[pair])
        self._remember(slots, visits + count, suspects, misfits)
        self._learn(rank, odds.sigmoid())
        return odds.to(ranks.device)

    @property
    def overall(self) -> float:
        """Share of random captions among all, of late."""
        return float(self._overall)

    def shares(self, cues: Tensor) -> Tensor:
        """How many captions with the worst of each of these ``[N, K]`` are wrong, ``[N]``."""
        slots = cues.cpu() % MEANINGS
        self._grow(int(slots.max()) + 1)
        shares = self._shares(self._suspects[slots], self._visits[slots]).to(cues.device)
        return shares.masked_fill(cues == NO_CUE, 0).amax(dim=1)

    def accuse(self, cues: Tensor) -> None:
        """Enter pairs that another judge suspects, by any ranks: one cue of each, ``[N]``."""
        slots, count = torch.unique(cues.cpu() % MEANINGS, return_counts=True)
        if len(slots):
            self._grow(int(slots.max()) + 1)
            visits, suspects = self._visits[slots] + count, self._suspects[slots] + count
            self._remember(slots, visits, suspects, self._misfits[slots] + EVEN * count)

    def fade(self) -> None:
        """Forget most visits: they were judged by a model that cannot yet."""
        fading = (_EARLY_VISITS / self._visits.clamp_min(1)).clamp(max=1)
        self._suspects, self._visits = fading * self._suspects, fading * self._visits
        self._misfits = fading * self._misfits

    def _shares(self, suspects: Tensor, visits: Tensor) -> Tensor:
        return (suspects + _PSEUDO_VISITS * self._overall) / (visits + _PSEUDO_VISITS)

    def _scales(self, suspects: Tensor, misfits: Tensor) -> Tensor:
        """Of the ranks of wrong captions, by the sum of those of suspects."""
        mean = (misfits + _PSEUDO_VISITS * EVEN) / (suspects + _PSEUDO_VISITS)
        return scale_of(mean.clamp(self._least_misfit, EVEN))

    def _learn(self, rank: Tensor, risk: Tensor) -> None:
        """What is known of all pairs, from a batch's ``[N]`` ranks and posteriors."""
        believed, fresh = 1 - risk, 1 - _SMOOTHING
        typical = (believed * rank).sum() / believed.sum().clamp_min(1e-6)
        self._overall = torch.lerp(self._overall, risk.mean(), fresh)
        typical = torch.lerp(self._typical, typical, fresh * believed.mean())
        self._typical = typical.clamp_min(self._spread)

    def _remember(self, slots: Tensor, visits: Tensor, suspects: Tensor, misfits: Tensor) -> None:
        fading = (_MOST_VISITS / visits.clamp_min(1)).clamp(max=1)
        self._suspects[slots], self._visits[slots] = fading * suspects, fading * visits
        self._misfits[slots] = fading * misfits

    def _grow(self, size: int) -> None:
        self._suspects, self._visits = grown(self._suspects, size), grown(self._visits, size)
        self._misfits = grown(self._misfits, size)

    def state_dict(self) -> dict[str, Tensor]:
        """Counts of cues, and what is known of all pairs."""
        return {
            "suspects": self._suspects,
            "visits": self._visits,
            "misfits": self._misfits,
            "overall": self._overall,
            "typical": self._typical,
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._suspects, self._visits = state["suspects"].clone(), state["visits"].clone()
        self._misfits = state["misfits"].clone()
        self._overall, self._typical = state["overall"].clone(), state["typical"].clone()
