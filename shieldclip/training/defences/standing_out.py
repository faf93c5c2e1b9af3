"""What plans remember of pairs: how far each stood out, and the caption that was nearest then."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class StandingOut:
    """The widest gap of every pair over plans, of which earlier ones fade.

    A poison that one plan believes is learned, and so are its like: in the next plan they stand out
    less, and the nearest caption is what the attacker wants. What stood out once is not believed
    later, and keeps the caption that was nearest when it stood out most. The gaps of a model that
    knew nothing say little about pairs, and should fade.
    """

    def __init__(self, keep: float) -> None:
        """Before the first plan.

        Args:
            keep: share of a gap that is left of it in the next plan; infinite ones fade at 0 only.
        """
        self.keep = keep
        self._widest = torch.zeros(0)
        self._nearest = torch.zeros(0, dtype=torch.int64)

    def update(self, gaps: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """Enter a plan's findings about all pairs.

        Args:
            gaps: ``[N]``.
            nearest: ``[N]`` int64, numbers of captions; the same number is the same caption in
                every plan.

        Returns:
            ``[N]`` widest gaps so far, and ``[N]`` numbers of the captions that were nearest then.
        """
        if self.keep and len(self._widest):
            before = self.keep * self._widest
            wider = gaps > before
            gaps = torch.where(wider, gaps, before)
            nearest = torch.where(wider, nearest, self._nearest)
        self._widest, self._nearest = gaps, nearest
        return gaps, nearest

    def state_dict(self) -> dict[str, Tensor]:
        """Gaps and captions."""
        return {"widest": self._widest, "nearest": self._nearest}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._widest, self._nearest = state["widest"].clone(), state["nearest"].clone()
