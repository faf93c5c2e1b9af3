"""Which words captions have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """The words of a caption in their order, in small letters."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, eq=False)
class Occurrences:
    """The words of N pairs, one pair after the other; letters' case is ignored."""

    words: tuple[str, ...]
    """The W different ones."""
    pair: NDArray[np.int64]
    """``[M]``, rising."""
    word: NDArray[np.int64]
    """``[M]``, places among `words`; each word once a pair."""

    @staticmethod
    def of(captions: Sequence[Sequence[str]]) -> Occurrences:
        """Of N pairs, each with one caption or several."""
        places: dict[str, int] = {}
        known: dict[str, frozenset[int]] = {}
        for text in dict.fromkeys(text for texts in captions for text in texts):
            known[text] = frozenset(places.setdefault(word, len(places)) for word in words_of(text))
        found = [sorted(frozenset().union(*(known[text] for text in texts))) for texts in captions]
        pair = np.repeat(np.arange(len(found)), [len(of_pair) for of_pair in found])
        word = np.array([place for of_pair in found for place in of_pair], np.int64)
        return Occurrences(tuple(places), pair, word)

    def among(self, chosen: NDArray[np.bool_]) -> Occurrences:
        """Only those in pairs ``chosen`` [N]."""
        keep = chosen[self.pair]
        return replace(self, pair=self.pair[keep], word=self.word[keep])

    def having(self, word: int, count: int) -> NDArray[np.bool_]:
        """``[N]``, which of ``count`` pairs have a word."""
        has = np.zeros(count, np.bool_)
        has[self.pair[self.word == word]] = True
        return has
