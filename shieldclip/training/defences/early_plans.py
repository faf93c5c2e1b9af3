"""Plans of a model that cannot tell lies from what it has not learned yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from shieldclip.matching.occurrences import Occurrences
from shieldclip.training.defences.base import EpochPlan
from shieldclip.training.defences.excess import how_often, said_often, usual_share

_SEED = 0
"""Of whom chance keeps of what is said often."""


def rarest_words(captions: Sequence[Sequence[str]]) -> Tensor:
    """What the captions of N pairs are about, as far as words tell, ``[N]`` int64.

    Equal where the rarest word is: captions of one thing may differ in everything else. 0 for pairs
    without a word.
    """
    found = Occurrences.of(captions)
    times = np.bincount(found.word, minlength=len(found.words))
    order = np.lexsort((found.word, times[found.word], found.pair))
    pair, word = found.pair[order], found.word[order]
    first = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
    rarest = torch.zeros(len(captions), dtype=torch.int64)
    rarest[torch.from_numpy(pair[first])] = torch.from_numpy(word[first]) + 1
    return rarest


def thinned(meanings: Tensor, power: float) -> EpochPlan:
    """All pairs, but of what is `said_often`, r times as often as usual, 1 in r^power, by chance.

    Args:
        meanings: ``[N]`` int64, equal for captions that mean the same.
        power: at least 0.
    """
    luck = torch.rand(len(meanings), generator=torch.Generator().manual_seed(_SEED))
    stays = (luck < usual_share(how_often(meanings), power)) | ~said_often(meanings)
    return EpochPlan(rows=None if stays.all() else stays.nonzero().squeeze(1).tolist())


def both(one: EpochPlan, other: EpochPlan) -> EpochPlan:
    """The first plan, but only the pairs that the other trains on, too."""
    if one.rows is None or other.rows is None:
        return replace(one, rows=other.rows if one.rows is None else one.rows)
    kept = set(other.rows)
    return replace(one, rows=[row for row in one.rows if row in kept])


def without_repairs(plan: EpochPlan, meanings: Tensor) -> EpochPlan:
    """Whom the plan changes or leaves out is left out if `said_often`, else trained on as it is.

    What is taken away is never learned, so that later plans suspect it again; and what such a model
    finds nearest to a picture is what it finds in the trigger. Lies are told often.
    """
    often = said_often(meanings)
    believed = set(range(len(often)) if plan.rows is None else plan.rows) - set(plan.captions)
    rows = [row for row in range(len(often)) if row in believed or not often[row]]
    figures = {**plan.figures, "spared": float(len(rows) - len(believed))}
    every = len(rows) == len(often)
    return replace(plan, rows=None if every else rows, captions={}, figures=figures)
