"""How much a defender would suspect each of N candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from shieldclip.adversary.choice.candidates import Candidate
from shieldclip.matching import ImageFeatures

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What one defence measures; low is innocent."""

    names: tuple[str, str]
    """Of a measure, and of another that decides between equal ones."""
    values: tuple[Tensor, Tensor]
    """``[N]`` each."""

    def places(self) -> Floats:
        """``[N]`` in [0, 1): place in the order of suspicion, as a share of all."""
        first, second = (value.double().numpy() for value in self.values)
        order = np.lexsort((second, first))
        places = np.empty(len(order), np.float64)
        places[order] = np.arange(len(order)) / len(order)
        return places


class Judge(Protocol):
    """A defence as its attacker rebuilds it."""

    def see(self, images: ImageFeatures, candidates: Sequence[Candidate], picture: Tensor) -> None:
        """Some stamped pictures with their candidates.

        Args:
            images: of b pictures.
            candidates: n of them.
            picture: ``[n]`` int64 in [0, b): the picture of each candidate.
        """
        ...

    def verdict(self) -> Verdict:
        """On all candidates, in the order in which they were seen."""
        ...


def suspicion(verdicts: Sequence[Verdict]) -> Floats:
    """``[N]`` in [0, 1): the worst place of each candidate, as it has to pass every test."""
    worst: Floats = np.max([verdict.places() for verdict in verdicts], axis=0)
    return worst
