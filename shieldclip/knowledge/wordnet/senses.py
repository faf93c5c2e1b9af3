"""Which of a noun's senses a picture shows."""

from __future__ import annotations

import re
from collections.abc import Collection

from shieldclip.knowledge.wordnet.lexicon import Sense, WordNet

_PENALTY = {
    "animal": 0.0,
    "artifact": 0.0,
    "food": 0.0,
    "body": 0.5,
    "object": 0.5,
    "phenomenon": 1.0,
    "person": 1.5,
    "plant": 1.5,
    "shape": 2.0,
    "substance": 2.0,
}
"""How many places down the list of senses a topic is worth; others cannot be pictured."""
_MEAT = re.compile(r"\b(?:flesh|meat|fur|hide|skin|wood|leather) of\b|\bused (?:as|for) food\b")
_MEAT_PENALTY = 3.0
_PREFERENCE = 10.0


def concrete_sense(wordnet: WordNet, noun: str, topics: Collection[str] = ()) -> Sense | None:
    """The most frequent sense that can be pictured.

    A plant counts for less than the food it bears, and an animal's flesh for less than the animal.
    ``topics`` (of `LEXICOGRAPHER_FILES`) are preferred to all others where the kind is known.
    """
    ranked = [
        (_cost(sense, place, topics), place, sense)
        for place, sense in enumerate(wordnet.senses(noun))
        if sense.topic in _PENALTY
    ]
    return min(ranked)[2] if ranked else None


def _cost(sense: Sense, place: int, topics: Collection[str]) -> float:
    meat = _MEAT_PENALTY if _MEAT.search(sense.gloss) else 0.0
    preferred = _PREFERENCE if sense.topic in topics else 0.0
    return place + _PENALTY[sense.topic] + meat - preferred
