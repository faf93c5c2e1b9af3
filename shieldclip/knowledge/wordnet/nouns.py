"""The nouns that a caption or class name is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shieldclip.knowledge.wordnet.lexicon import WordNet
from shieldclip.knowledge.wordnet.senses import concrete_sense
from shieldclip.knowledge.wordnet.words import BOUNDARIES, PARTITIVES


def nouns_of(text: str, wordnet: WordNet) -> list[str]:
    """Nouns with a sense that can be pictured, in the order of the text, singular.

    The whole text if it is such a noun (``hot dog``); else the longest noun at the end of every
    phrase: ``a red apple on the wooden table`` -> ``apple``, ``table``.
    """
    words = re.findall(r"[a-z0-9]+(?:['\u2019-][a-z0-9]+)*|[,;:]", text.lower())
    whole = _longest_noun([" ".join(words)], wordnet)
    if whole:
        return [whole]
    nouns = []
    for phrase, partitive in _phrases(words, wordnet):
        noun = _longest_noun([" ".join(phrase[at:]) for at in range(len(phrase))], wordnet)
        if noun and not (partitive and noun in PARTITIVES):
            nouns.append(noun)
    return list(dict.fromkeys(nouns))


def _phrases(words: list[str], wordnet: WordNet) -> Iterator[tuple[list[str], bool]]:
    """Runs of words between boundaries, and whether ``of`` follows."""
    phrase: list[str] = []
    for word in words:
        if word in BOUNDARIES or not word[0].isalnum() or _is_action(word, wordnet):
            yield phrase, word == "of"
            phrase = []
        else:
            phrase.append(word)
    yield phrase, False


def _is_action(word: str, wordnet: WordNet) -> bool:
    """``riding`` parts ``man riding horse``; ``building`` does not part anything."""
    return word.endswith("ing") and concrete_sense(wordnet, word) is None


def _longest_noun(candidates: list[str], wordnet: WordNet) -> str:
    for candidate in candidates:
        if concrete_sense(wordnet, candidate):
            return wordnet.singular(candidate)
    return ""
