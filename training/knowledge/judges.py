"""Judgements of knowledge that a script can repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from knowledge.sentences import encode
from numpy.typing import NDArray

from shieldclip.knowledge import SentenceVectors

Table = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Fit:
    """How well elements belong to their concepts, by a sentence encoder. All in [0, 1]."""

    own: float
    """Mean cosine of an element and its concept's name."""
    other: float
    """Mean cosine of an element and another concept's name."""
    above: float
    """Share of pairs of element and other concept in which its own is closer (ROC-AUC)."""
    identified: float
    """Share of concepts whose name is the closest of all to their elements."""
    identified_10: float
    """Share of concepts whose name is among the ten closest."""


def judge_fit(table: Table, names: Sequence[str]) -> Fit:
    """Judge the concepts that have elements against all names.

    The encoder rewards words that sound like the name, true or not: ``vehicle`` for a bus more than
    ``wheel``. So the figures compare sources; they are no shares of truth.
    """
    known = [name for name in names if table.get(name)]
    pairs = [(element, name) for name in known for element in table[name]]
    elements = [element for element, _ in pairs]
    joint = [", ".join(table[name]) for name in known]
    vectors = encode([*elements, *joint, *names])
    cosines, joined = (_cosines(vectors, phrases, names) for phrases in (elements, joint))
    places = np.array([names.index(name) for _, name in pairs])
    own = cosines[np.arange(len(pairs)), places]
    rest = cosines.shape[1] - 1
    below = (cosines < own[:, None]).sum(1)
    target = joined[np.arange(len(known)), [names.index(name) for name in known]]
    rank = (joined > target[:, None]).sum(1)
    return Fit(
        own=float(own.mean()),
        other=float((cosines.sum(1) - own).mean() / rest),
        above=float(below.mean() / rest),
        identified=float((rank < 1).mean()),
        identified_10=float((rank < 10).mean()),
    )


def agreement(table: Table, other: Table) -> tuple[float, float]:
    """Share of elements that share a word with the other source's elements, and by chance.

    Chance: against the elements of the concept half way round the list.
    """
    names = [name for name in table if table[name] and other.get(name)]
    turned = names[len(names) // 2 :] + names[: len(names) // 2]
    return _share_met(table, names, other, names), _share_met(table, names, other, turned)


def _share_met(table: Table, names: Sequence[str], other: Table, partners: Sequence[str]) -> float:
    pairs = zip(names, partners, strict=True)
    return float(np.mean([_meets(element, other[b]) for a, b in pairs for element in table[a]]))


def _meets(element: str, others: Sequence[str]) -> bool:
    return bool(_stems(element) & {stem for other in others for stem in _stems(other)})


def _stems(phrase: str) -> set[str]:
    return {word.removesuffix("s") for word in phrase.split()}


def _cosines(
    vectors: SentenceVectors, phrases: Sequence[str], names: Sequence[str]
) -> NDArray[np.float32]:
    """Cosines ``[phrases, names]``."""
    return np.asarray((vectors.of(phrases) @ vectors.of(names).T).numpy(), dtype=np.float32)
