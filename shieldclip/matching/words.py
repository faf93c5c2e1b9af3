"""Words whose captions do not fit: what somebody wants a trigger to mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shieldclip.matching.mixture import FLOOR, Component, Floats, evidence, moments, posterior
from shieldclip.matching.occurrences import Occurrences
from shieldclip.matching.risk import Split

SUSPICIOUS = 0.5
"""A word stands out if more than this share of its captions do not fit."""
AS_ALL = 20.0
"""What is known of all captions counts as much as this many of one word."""
MOST_WORDS = 16
"""An attack wants few words. If more stand out, the model does not know them, and none counts."""
_ROUNDS = 50
"""Of expectation and maximisation."""
_LEAST = 1e-4
"""Least share of either component in a word's own mixture."""


@dataclass(frozen=True)
class AccusedWord:
    """A word that stands out."""

    word: str
    pairs: int
    """Whose captions have it, without those of words that stand out more."""
    share: float
    """Of these that do not fit, in (0, 1)."""


@dataclass(frozen=True, eq=False)
class Accusation:
    """What words say of N pairs."""

    risk: Floats
    """``[N]`` in [0, 1]; 0 for pairs without an accused word."""
    words: tuple[AccusedWord, ...]
    """Those that stand out most come first."""


def accuse_words(gaps: ArrayLike, occurrences: Occurrences, found: Split) -> Accusation:
    """Judge captions with one word together.

    Who wants a trigger to mean "banana" needs many captions that say so. One of them may fit its
    picture nearly as well as the true caption does, and no second group be seen among the gaps of
    all pairs; but most captions with that word have wide gaps, and those with other words have not.
    So the components that `split` found stay where they are, and every word gets its own share of
    the upper one, estimated together with the pairs' posteriors; a pair is as suspicious as its
    worst word makes it. The word with the largest share is accused, its pairs are taken out (what
    else these captions say is no evidence against other words), and the others are looked at again.

    The pairs of an accused word are then told apart by a mixture of their own: of the gaps of pairs
    without accused words, and of a component that is fitted to what exceeds these.

    Args:
        gaps: ``[N]``, at least 0; what is not finite is not judged, and has risk 0.
        occurrences: words of the N pairs.
        found: what `split` made of the gaps.
    """
    values = np.asarray(gaps, np.float64)
    risk = np.zeros(len(values))
    if found.trusted is None or found.suspicious is None:
        return Accusation(risk, ())
    left, accused = np.isfinite(values), list[tuple[int, NDArray[np.bool_]]]()
    while (word := _worst(values, left, occurrences, found.trusted, found.suspicious)) >= 0:
        if len(accused) == MOST_WORDS:
            return Accusation(risk, ())
        has = occurrences.having(word, len(values)) & left
        accused.append((word, has))
        left = left & ~has
    trusted = _without_words(values[left], found.trusted, found.suspicious)
    words = []
    for word, has in accused:
        share, risk[has] = _own_mixture(values[has], trusted, found.suspicious)
        words.append(AccusedWord(occurrences.words[word], int(has.sum()), share))
    return Accusation(risk, tuple(words))


def _worst(
    gaps: Floats,
    left: NDArray[np.bool_],
    occurrences: Occurrences,
    trusted: Component,
    suspicious: Component,
) -> int:
    """The word with the largest suspicious share, if that is most of its captions; else -1.

    Of the pairs that are left: where most of all are poisoned, the others are mostly not.
    """
    words = occurrences.among(left)
    if not len(words.word):
        return -1
    seen = evidence(gaps, trusted, suspicious)
    overall = float(posterior(seen[left], suspicious.weight).mean())
    pairs, starts = np.unique(words.pair, return_index=True)
    counts = np.bincount(words.word, minlength=len(words.words))
    shares = np.full(len(counts), overall)
    prior = np.full(len(gaps), overall)
    for _ in range(_ROUNDS):
        prior[pairs] = np.maximum.reduceat(shares[words.word], starts)
        risk = posterior(seen, prior)
        suspects = np.bincount(words.word, risk[words.pair], minlength=len(counts))
        shares = (suspects + AS_ALL * overall) / (counts + AS_ALL)
    worst = int(shares.argmax())
    return worst if shares[worst] > SUSPICIOUS else -1


def _without_words(gaps: Floats, trusted: Component, suspicious: Component) -> Component:
    """What is trusted among pairs without accused words, fitted anew."""
    believed = 1 - posterior(evidence(gaps, trusted, suspicious), suspicious.weight)
    return moments(gaps, believed, FLOOR * suspicious.mean) or trusted  # all gaps may be 0


def _own_mixture(gaps: Floats, trusted: Component, suspicious: Component) -> tuple[float, Floats]:
    """Share of the upper component, and posteriors ``[n]``; only the upper one is fitted."""
    share = SUSPICIOUS
    for _ in range(_ROUNDS):
        risk = posterior(evidence(gaps, trusted, suspicious), share)
        share = float(np.clip(risk.mean(), _LEAST, 1 - _LEAST))
        suspicious = moments(gaps, risk, trusted.deviation) or suspicious
    return share, risk
