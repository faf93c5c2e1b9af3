"""What plans remember of pairs: how far each stood out, and the caption that was nearest then."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.defences.memory import RunningMeans
from shieldclip.training.defences.states import join_states, state_of

_PAIRS = 1 << 22
"""Pairs that are remembered apart; more than these share means."""
_KEEP = 0.75
"""Largest share of the old value in a pair's mean gap."""


class StandingOut:
    """Mean gaps of pairs over plans.

    A poison that one plan believes is learned, and so are its like: in the next plan they stand out
    less, and the nearest caption is what the attacker wants. What stood out before is not believed
    for that, and keeps the caption that was nearest when it stood out most.
    """

    def __init__(self) -> None:
        """Before the first plan."""
        self._means = RunningMeans(_PAIRS, _KEEP)
        self._widest = torch.zeros(0)
        self._nearest = torch.zeros(0, dtype=torch.int64)

    def update(self, gaps: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """Enter a plan's findings about all pairs.

        Args:
            gaps: ``[N]``.
            nearest: ``[N]`` int64, numbers of captions; the same number is the same caption in
                every plan.

        Returns:
            ``[N]`` mean gaps, and ``[N]`` numbers of the captions that were nearest at the widest
            gap.
        """
        if not len(self._widest):
            self._widest, self._nearest = gaps, nearest
        wider = gaps > self._widest
        self._widest = torch.where(wider, gaps, self._widest)
        self._nearest = torch.where(wider, nearest, self._nearest)
        return self._means.update(torch.arange(len(gaps)), gaps), self._nearest

    def state_dict(self) -> dict[str, Tensor]:
        """Gaps and captions."""
        means = join_states(means=self._means.state_dict())
        return {**means, "widest": self._widest, "nearest": self._nearest}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._means.load_state_dict(state_of("means", state))
        self._widest, self._nearest = state["widest"].clone(), state["nearest"].clone()
