"""How much each of several judges of the same pairs has to say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from shieldclip.training.defences.memory import Smoothed
from shieldclip.training.losses.rank_evidence import sharpness

_SMOOTHING = 0.9
"""Share of the old value in the smoothed typical ranks."""


class Judges:
    """Ranks by several judges over time -> the weight of each.

    A judge that puts most pairs' own captions first knows these pairs; one that ranks them at
    random knows nothing, and an average that counts both alike lets in wrong captions that are
    lucky with the second. So each counts by its `sharpness`.
    """

    def __init__(self, most: float) -> None:
        """Before the first batch.

        Args:
            most: the share of pairs that "most" means.
        """
        self.most = most
        self._typical = Smoothed(_SMOOTHING)

    def weights(self, *ranks: Tensor) -> Tensor:
        """Enter a batch, and weigh.

        Args:
            ranks: of each of J judges ``[N]`` in [0, 1]; NaN where it cannot tell.

        Returns:
            ``[J]``, sums to 1; equal where no judge knows anything.
        """
        typical = torch.stack([rank.nanquantile(self.most) for rank in ranks]).nan_to_num(1.0)
        sharp = sharpness(self._typical.update(typical)) + 1e-6
        return (sharp / sharp.sum()).to(ranks[0].device)

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that later weights depend on."""
        return self._typical.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._typical.load_state_dict(state)
