"""Everything the icon set and WordNet say about a concept, by kind of element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.concepts import Concept
from knowledge.kinds import seen_by_kind

from shieldclip.knowledge import KnowledgeRow
from shieldclip.knowledge.wordnet import WordNet, describe, nouns_of
from shieldclip.knowledge.wordnet.senses import concrete_sense
from shieldclip.knowledge.wordnet.words import COLOURS, SIZES, VISUAL_ADJECTIVES

KINDS = ("colour", "attribute", "part", "category", "keyword")

TOPICS = {"animals-nature": ("animal", "plant"), "food-drink": ("food", "artifact")}
"""Groups of icons whose names have one kind of sense."""

WITHOUT_WORDNET = frozenset({"smileys-emotion", "people-body"})
"""Groups whose names say what a figure does or feels, not what it is."""

NOT_SHOWN = frozenset((Path(__file__).parent / "not_shown.txt").read_text("utf-8").split())
"""Keywords that name a place, a person or an idea an icon is linked with, not what it shows."""


@dataclass(frozen=True)
class Candidate:
    """An element that may be taken."""

    element: str
    kind: str
    """One of `KINDS`."""
    source: str
    """``colour``, ``kinds``, ``wordnet`` or ``keywords``."""


def candidates(concept: Concept, wordnet: WordNet) -> list[Candidate]:
    """Elements of a concept in the singular, without words of its own name and without repeats."""
    own = _lemmas(concept.name, wordnet)
    kept: dict[str, Candidate] = {}
    for found in _all(concept, wordnet):
        if not _lemmas(found.element, wordnet) & own:
            kept.setdefault(found.element, found)
    return list(kept.values())


def _all(concept: Concept, wordnet: WordNet) -> Iterator[Candidate]:
    if concept.colour:
        yield Candidate(concept.colour, "colour", "colour")
    for kind, element in seen_by_kind(concept):
        if not (concept.colour and element in COLOURS):
            yield Candidate(element, kind, "kinds")
    if concept.group not in WITHOUT_WORDNET:
        yield from _from_wordnet(concept, wordnet)
    for word in concept.keywords:
        if is_visual(word, wordnet):
            singular = wordnet.singular(word)
            yield Candidate(singular, "keyword", "keywords")


def _from_wordnet(concept: Concept, wordnet: WordNet) -> Iterator[Candidate]:
    for noun in nouns_of(concept.name, wordnet)[:1]:
        said = describe(noun, wordnet, TOPICS.get(concept.group, ()))
        if said is not None:
            for element in said.attributes:
                if not (concept.colour and element in COLOURS):
                    yield Candidate(element, "attribute", "wordnet")
            yield from (Candidate(element, "part", "wordnet") for element in said.parts)
            yield from (Candidate(element, "category", "wordnet") for element in said.categories)


def is_visual(word: str, wordnet: WordNet) -> bool:
    """Whether a keyword names something to be seen: a visual adjective, or a noun whose most
    frequent sense can be pictured.
    """
    if word in NOT_SHOWN | SIZES or not word.replace("-", "").isalpha():
        return False
    senses, sense = wordnet.senses(word), concrete_sense(wordnet, word)
    return word in VISUAL_ADJECTIVES or (
        sense is not None and sense == senses[0] and sense.topic != "person"
    )


def without_name(row: KnowledgeRow, wordnet: WordNet) -> KnowledgeRow:
    """A row without elements that hold a word of its text."""
    own = _lemmas(row.text, wordnet)
    kept = (element for element in row.elements if not _lemmas(element, wordnet) & own)
    return replace(row, elements=tuple(kept))


def _lemmas(text: str, wordnet: WordNet) -> set[str]:
    return {wordnet.singular(word) for word in re.findall(r"[a-z0-9]+", text.lower())}
