"""What is said more often than other things are: all that is known of lies at first."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.defences.memory import MEANINGS, grown

_KEEP = 0.99
"""Share of the counts that is left after a batch: about the latest 100 batches are counted."""
_OFTEN = 2
"""Times as often as usual; a meaning that is said more often is more than one more concept."""
_UNKNOWN = 0
"""The meaning of captions of which nothing is known; they are not alike."""


class Excess:
    """How often captions of each meaning came, and which of them were too many.

    Whoever wants a trigger to mean one thing needs many captions of that one meaning, and so has to
    say it more often than other things are said. Of each meaning as many pairs may stay as come of
    a usual one: balanced by meaning, as Xu et al. 2024 (MetaCLIP) balance pairs by what their
    captions name, but the most suspected go, where chance would keep as many poisons as it drops.
    """

    def __init__(self, power: float = 1.0) -> None:
        """Nothing counted yet.

        Args:
            power: of what is said r times as often as usual, 1 in r^power may stay.
        """
        self._power = power
        self._counts = torch.zeros(0)

    def among(self, meanings: Tensor, suspicion: Tensor) -> Tensor:
        """Count a batch, and say which of its pairs are too many.

        Args:
            meanings: ``[N]`` int64, equal for captions that mean the same.
            suspicion: ``[N]``, of each pair; equal ones are told apart by their order.

        Returns:
            ``[N]`` bool. A usual meaning is one that half of the batch's pairs do not exceed.
        """
        keys = meanings.cpu()
        counts = self._count(keys)
        allowed = torch.where(keys == _UNKNOWN, 1.0, usual_share(counts, self._power))
        excess: Tensor = _place_among_like(keys, suspicion.cpu()) > allowed
        return excess.to(suspicion.device)

    def _count(self, keys: Tensor) -> Tensor:
        """``[N]``, how often each meaning came of late, this batch included."""
        slots, place = torch.unique(keys % MEANINGS, return_inverse=True)
        self._counts = _KEEP * grown(self._counts, int(slots.max()) + 1)
        self._counts[slots] += torch.bincount(place).float()
        return self._counts[slots][place]

    def state_dict(self) -> dict[str, Tensor]:
        """The counts."""
        return {"counts": self._counts}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._counts = state["counts"].clone()


def how_often(meanings: Tensor) -> Tensor:
    """How many of all N pairs mean the same as each of these ``[N]``, ``[N]`` int64."""
    _, place, counts = torch.unique(meanings, return_inverse=True, return_counts=True)
    often: Tensor = counts[place]
    return often


def usual_share(often: Tensor, power: float) -> Tensor:
    """Of what is said r times as often as usual 1 in r^power, ``[N]``; above 1 of what is rarer.

    Args:
        often: ``[N]``, how often each pair's meaning comes; what half of the pairs do not exceed is
            usual.
        power: at least 0.
    """
    share: Tensor = (often.median() / often) ** power
    return share


def said_often(meanings: Tensor) -> Tensor:
    """Which of all N pairs' captions mean what is said more than twice as often as usual, ``[N]``.

    Args:
        meanings: ``[N]`` int64, as for `Excess`. Captions of which nothing is known are among them:
            there is nothing to tell how often they say the same.
    """
    often = how_often(meanings)
    found: Tensor = (often > _OFTEN * often.median()) | (meanings == _UNKNOWN)
    return found


def _place_among_like(keys: Tensor, suspicion: Tensor) -> Tensor:
    """``[N]`` in (0, 1), the place of each pair among its like; the least suspected come first."""
    order = suspicion.argsort(stable=True).argsort()
    like = keys[:, None] == keys
    before = like & (order < order[:, None])
    return (before.sum(dim=1) + 0.5) / like.sum(dim=1)
