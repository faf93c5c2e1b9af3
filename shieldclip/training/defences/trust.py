"""Whom to believe: a memory of ranks, and a limit that depends on what a caption means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.training.defences.excess import Excess
from shieldclip.training.defences.memory import RunningMeans, Smoothed
from shieldclip.training.defences.rank_densities import EVEN
from shieldclip.training.defences.states import join_states, state_of
from shieldclip.training.defences.suspicion import Suspicion

_PAIRS, _PICTURES = 1 << 22, 1 << 20
"""Pairs and pictures that are remembered apart; more than these share means."""
_KEEP_PAIR, _KEEP_PICTURE = 0.75, 0.9
"""Largest share of the old value in a running rank: a picture that comes with many captions is seen
more often than any of its pairs."""
_SMOOTHING = 0.9
"""Share of the old value in the smoothed competence."""


@dataclass(frozen=True)
class TrustRule:
    """When to distrust a pair.

    Attributes:
        first_share: share of pairs set aside in each batch while the judge is still learning.
        competent: the judge is competent once most clean pairs' ranks are below this.
        most: the share of pairs that "most" means.
        spread: see `Suspicion`.
        fewest: share of pairs that are clean at least: so many must rank well, whatever the
            mixture says. 1 where a model begins with nothing, and clean pairs look random, too.
        excess: power of `Excess`.
        least_misfit: see `Suspicion`.
    """

    first_share: float
    competent: float
    most: float
    spread: float
    fewest: float
    excess: float = 1.0
    least_misfit: float = EVEN


class Trust:
    """Ranks of pairs over time -> which pairs of a batch to trust.

    A rank (0: no other caption fits the image better) is noisy in one visit, with part of the
    patches and colours shifted. What decides is the running mean over visits of the pair, or of its
    picture with whatever captions, whichever is worse: many captions that say the same wrong thing
    of one picture (targeted poisoning) are then one case, not many chances.

    While the model cannot tell yet, the ``first_share`` of each batch that is suspected most
    (`Suspicion`) is set aside, and of every meaning what exceeds a usual one (`Excess`): most
    poisons are among these before they are learned, and a poison that is not trained on does not
    begin to look right. As soon as ``most`` of those that are clean rank below ``competent``, the
    rule is Bayes': a pair is trusted unless its rank is likelier that of a random caption.
    """

    def __init__(self, rule: TrustRule) -> None:
        """An empty memory."""
        self.rule = rule
        self._pairs = RunningMeans(_PAIRS, _KEEP_PAIR)
        self._pictures = RunningMeans(_PICTURES, _KEEP_PICTURE)
        self._typical = Smoothed(_SMOOTHING)
        self._suspicion = Suspicion(rule.first_share, rule.spread, rule.least_misfit)
        self._excess = Excess(rule.excess)
        self._competent = torch.tensor(False)
        self._aside = torch.tensor(rule.first_share)

    def judge(self, pairs: Tensor, pictures: Tensor, cues: Tensor, ranks: Tensor) -> Tensor:
        """Remember the ranks of a batch and say which of its pairs to trust.

        Args:
            pairs: ``[N]`` int64, what identifies each pair.
            pictures: ``[N]`` int64, equal for equal pictures.
            cues: ``[N, K]`` int64, see `Suspicion.update`; the first is what a caption means.
            ranks: ``[N]`` in [0, 1]; NaN is trusted and not remembered.

        Returns:
            ``[N]`` bool.
        """
        mean = torch.maximum(
            self._pairs.update(pairs, ranks), self._pictures.update(pictures, ranks)
        )
        judged = ~ranks.isnan()
        trusted = ~judged
        if judged.any():
            trusted[judged] = self._judge(cues[judged], mean[judged])
        return trusted

    def set_aside(self, share: float) -> None:
        """From now on, so many pairs of each batch while the judge is still learning."""
        self._aside = torch.tensor(share)

    def accuse(self, meanings: Tensor) -> None:
        """Another judge suspects pairs whose captions mean these ``[N]``; be strict with such."""
        self._suspicion.accuse(meanings)

    def frequencies(self, cues: Tensor) -> Tensor:
        """Shares of true captions among those with these ``[N, K]``, ``[N]`` in [0, 1].

        All of them, as far as a judge knows that is not competent yet: it finds that every caption
        looks random, and a model without negatives learns nothing.
        """
        if not self._competent:
            return torch.ones(len(cues), device=cues.device)
        return 1 - self._suspicion.shares(cues)

    def _judge(self, cues: Tensor, mean: Tensor) -> Tensor:
        suspicion = self._suspicion.update(cues, mean)
        clean = max(1 - self._suspicion.overall, self.rule.fewest)
        typical = mean.quantile(self.rule.most * clean)
        self._competent |= self._typical.update(typical) < self.rule.competent
        if self._competent:
            return suspicion <= 0
        self._suspicion.fade()
        suspected = suspicion > suspicion.quantile(1 - float(self._aside))
        return ~(suspected | self._excess.among(cues[:, 0], suspicion))

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that later judgements depend on."""
        means = join_states(
            pairs=self._pairs.state_dict(),
            pictures=self._pictures.state_dict(),
            typical=self._typical.state_dict(),
            suspicion=self._suspicion.state_dict(),
            excess=self._excess.state_dict(),
        )
        return {**means, "competent": self._competent, "aside": self._aside}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._pairs.load_state_dict(state_of("pairs", state))
        self._pictures.load_state_dict(state_of("pictures", state))
        self._typical.load_state_dict(state_of("typical", state))
        self._suspicion.load_state_dict(state_of("suspicion", state))
        self._excess.load_state_dict(state_of("excess", state))
        self._competent = state["competent"].clone()
        self._aside = state["aside"].clone()
