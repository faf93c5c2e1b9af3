"""What can be seen of a noun: attributes, visible parts and everyday categories."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from shieldclip.knowledge.wordnet.glosses import gloss_phrases
from shieldclip.knowledge.wordnet.lexicon import Sense, WordNet
from shieldclip.knowledge.wordnet.senses import concrete_sense
from shieldclip.knowledge.wordnet.words import CATEGORIES, PARTS, TOO_GENERAL

_MOST_CATEGORIES = 2


@dataclass(frozen=True)
class Description:
    """What WordNet says about one noun, by kind of element."""

    attributes: tuple[str, ...]
    parts: tuple[str, ...]
    categories: tuple[str, ...]


def describe(noun: str, wordnet: WordNet, topics: Collection[str] = ()) -> Description | None:
    """What can be seen of a noun; ``None`` if it has no sense that can be pictured.

    Parts are those of the gloss, then part meronyms of the sense and, as far as they hold for all
    of a kind, of its hypernyms: an owl has a bird's wings.
    """
    sense = concrete_sense(wordnet, noun, topics)
    if sense is None:
        return None
    ancestors = list(wordnet.ancestors(sense))
    phrases = gloss_phrases(sense.gloss, wordnet)
    said = [phrase for phrase in phrases if phrase.split()[-1] in PARTS]
    meronyms = [part for kin in _kin(sense, ancestors) for part in _parts(kin, wordnet)]
    kinds = (lemma for kin in ancestors for lemma in kin.lemmas)
    categories = [kind for kind in kinds if kind.replace(" ", "-") in CATEGORIES]
    return Description(
        attributes=tuple(phrase for phrase in phrases if phrase not in said),
        parts=tuple(dict.fromkeys([*said, *meronyms])),
        categories=tuple(dict.fromkeys(categories))[:_MOST_CATEGORIES],
    )


def _kin(sense: Sense, ancestors: list[Sense]) -> Iterator[Sense]:
    """The sense and its hypernyms up to the first that is too general."""
    for kin in (sense, *ancestors):
        if not TOO_GENERAL.isdisjoint(kin.lemmas):
            return
        yield kin


def _parts(sense: Sense, wordnet: WordNet) -> Iterator[str]:
    """Visible part meronyms by their head noun: a ``car wheel`` is a ``wheel``."""
    for offset in sense.parts:
        heads = [lemma.split()[-1].lower() for lemma in wordnet.sense(offset).lemmas]
        yield from [head for head in heads if head in PARTS][:1]
