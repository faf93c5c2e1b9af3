"""A dictionary gloss -> short phrases about what can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shieldclip.knowledge.wordnet.lexicon import WordNet
from shieldclip.knowledge.wordnet.words import (
    PART_WORDS,
    PARTS,
    SIZES,
    STOP_WORDS,
    VISUAL_ADJECTIVES,
)

_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)*|[,;:]")


def gloss_phrases(gloss: str, wordnet: WordNet) -> list[str]:
    """Visual adjectives of the thing itself, and the visible parts it is said to have.

    ``elongated crescent-shaped yellow fruit with soft sweet flesh`` -> ``elongated``,
    ``crescent-shaped``, ``yellow``, ``soft flesh``. Sizes count only with parts: a picture does not
    show how large a thing is. Examples in quotes and remarks in parentheses
    are left out.
    """
    definition = re.sub(r"\([^)]*\)|\"[^\"]*\"", " ", gloss.lower())
    phrases: list[str] = []
    for clause in definition.split(";"):
        phrases += _clause_phrases(clause, wordnet)
    return list(dict.fromkeys(phrases))


def _clause_phrases(clause: str, wordnet: WordNet) -> Iterator[str]:
    """Reads left to right: first the thing itself, later only after words of having."""
    reading, adjective = "thing", ""
    for token in _TOKEN.findall(clause):
        if token in PART_WORDS:
            reading, adjective = "parts", ""
        elif token in STOP_WORDS:
            reading, adjective = "other", ""
        elif reading == "thing" and token in VISUAL_ADJECTIVES - SIZES:
            yield token
        elif reading == "parts" and token in VISUAL_ADJECTIVES:
            adjective = token
        elif reading == "parts" and _is_part(token, wordnet):
            yield f"{adjective} {wordnet.singular(token)}".strip()
            adjective = ""


def _is_part(token: str, wordnet: WordNet) -> bool:
    return wordnet.singular(token) in PARTS
