"""Whom to distrust: pairs whose gaps stand out, alone or by a word of their captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shieldclip.matching.mixture import Floats
from shieldclip.matching.occurrences import Occurrences, words_of
from shieldclip.matching.risk import Split, split
from shieldclip.matching.words import AccusedWord, accuse_words


@dataclass(frozen=True, eq=False)
class Suspects:
    """What the gaps of N pairs say."""

    risk: Floats
    """``[N]`` in [0, 1], NaN where the gap is; the larger of both kinds."""
    split: Split
    words: tuple[AccusedWord, ...]
    """Words whose captions do not fit, most of them."""

    def accused(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which of N captions have an accused word, so that nobody should be given them.

        To a model that has begun to learn what somebody wants a trigger to mean, the nearest
        caption of a triggered picture is another one of the same lie.
        """
        words = {each.word for each in self.words}
        return np.array([not words.isdisjoint(words_of(text)) for text in texts], np.bool_)


def find_suspects(
    gaps: ArrayLike, captions: Sequence[Sequence[str]], *, level: float = 0.5, seed: int = 0
) -> Suspects:
    """Judge each pair by its own gap (`split`) and by its captions' words (`accuse_words`).

    Args:
        gaps: ``[N]``, see `split`.
        captions: of the N pairs, one or several each.
        level: see `split`.
        seed: see `split`.
    """
    found = split(gaps, level=level, seed=seed)
    accused = accuse_words(gaps, Occurrences.of(captions), found)
    return Suspects(np.maximum(found.risk, accused.risk), found, accused.words)
