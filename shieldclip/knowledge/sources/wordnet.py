"""WordNet as a source: what it says about the nouns of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from shieldclip.knowledge.parsing import Answer, sift
from shieldclip.knowledge.wordnet import Description, describe, nouns_of, read_wordnet

MOST_ELEMENTS = 8
"""Elements of one noun."""


class WordNetSource:
    """Attributes, visible parts and everyday categories; deterministic and offline.

    Args:
        folder: where WordNet's files lie; ``None`` finds them (`read_wordnet`).
    """

    name = "wordnet"
    prompt_version = ""

    def __init__(self, folder: Path | None = None) -> None:
        self._wordnet = read_wordnet(folder)

    def answers(self, texts: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """In order."""
        for text in texts:
            nouns = nouns_of(text, self._wordnet)
            phrases = [_mixed(describe(noun, self._wordnet)) for noun in nouns]
            yield text, sift(chain.from_iterable(phrases), text)


def _mixed(said: Description | None) -> list[str]:
    """The first of each kind, then the second of each kind, and so on."""
    if said is None:
        return []
    turns = zip_longest(said.attributes, said.parts, said.categories)
    return [element for turn in turns for element in turn if element][:MOST_ELEMENTS]
