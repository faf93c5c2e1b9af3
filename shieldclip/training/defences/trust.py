"""Whom to believe: a memory of each pair's rank, and a limit that tightens with competence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_SLOTS = 1 << 22
"""Pairs that are remembered apart; more than these (in streams) share slots."""
_KEEP = 0.75
"""Largest share of the old value in a pair's running rank."""
_SMOOTHING = 0.9
"""Share of the old value in the smoothed competence."""


@dataclass(frozen=True)
class TrustRule:
    """When to distrust a pair.

    Attributes:
        first_share: share of pairs set aside in each batch while the judge is still learning.
        competent: the judge is competent once most pairs' ranks are below this.
        most: the share of pairs that "most" means.
        strictest: the limit on ranks never falls below this.
    """

    first_share: float
    competent: float
    most: float
    strictest: float


class Trust:
    """Ranks of pairs over time -> which pairs of a batch to trust.

    A rank (0: no other caption fits the image better) is noisy in one visit, with part of the
    patches and colours shifted. What decides is a pair's running mean over visits.

    While the model cannot tell yet, the worst ``first_share`` of each batch is set aside: most
    poisons are among these before they are learned, and a poison that is not trained on does not
    begin to look right. As soon as ``most`` pairs rank below ``competent``, a limit takes over
    that follows the ranks of most pairs down to ``strictest``, so that fewer and fewer clean pairs
    are lost.
    """

    def __init__(self, rule: TrustRule) -> None:
        """An empty memory."""
        self.rule = rule
        self._ranks = torch.zeros(0)
        self._visits = torch.zeros(0)
        self._typical = torch.tensor(torch.nan)
        self._competent = torch.tensor(False)

    def judge(self, pairs: Tensor, ranks: Tensor) -> Tensor:
        """Remember the ranks of a batch and say which of its pairs to trust.

        Args:
            pairs: ``[N]`` int64, what identifies each pair.
            ranks: ``[N]`` in [0, 1]; NaN is trusted and not remembered.

        Returns:
            ``[N]`` bool.
        """
        mean = self._remember(pairs, ranks)
        judged = mean[~ranks.isnan()]
        if len(judged) == 0:
            return torch.ones_like(ranks, dtype=torch.bool)
        typical = judged.quantile(self.rule.most).cpu()
        before = typical if self._typical.isnan() else self._typical
        self._typical = _SMOOTHING * before + (1 - _SMOOTHING) * typical
        self._competent |= self._typical < self.rule.competent
        return ~(mean > self._limit(judged)) | ranks.isnan()

    def _limit(self, judged: Tensor) -> Tensor:
        if self._competent:
            return self._typical.clamp(self.rule.strictest, self.rule.competent).to(judged.device)
        return judged.quantile(1 - self.rule.first_share)

    def _remember(self, pairs: Tensor, ranks: Tensor) -> Tensor:
        slots = (pairs % _SLOTS).cpu()
        self._grow(int(slots.max()) + 1)
        seen = self._visits[slots]
        kept = (seen / (seen + 1)).clamp(max=_KEEP)
        new = ranks.cpu().float()
        mean = kept * self._ranks[slots] + (1 - kept) * new
        valid = ~new.isnan()
        self._ranks[slots[valid]] = mean[valid]
        self._visits[slots[valid]] += 1
        return mean.to(ranks.device)

    def _grow(self, size: int) -> None:
        missing = size - len(self._ranks)
        if missing > 0:
            self._ranks = torch.cat([self._ranks, torch.zeros(missing)])
            self._visits = torch.cat([self._visits, torch.zeros(missing)])

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that later judgements depend on."""
        return {
            "ranks": self._ranks,
            "visits": self._visits,
            "typical": self._typical,
            "competent": self._competent,
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._ranks, self._visits = state["ranks"].clone(), state["visits"].clone()
        self._typical, self._competent = state["typical"].clone(), state["competent"].clone()
