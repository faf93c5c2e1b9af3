"""What a language model wrote -> elements that can be used, and why the rest cannot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from shieldclip.knowledge.prompts import Prompt

MAX_WORDS = 4

_LIST_MARK = re.compile(r"^\s*(?:(?:\(?\d+[.):](?!\d)|[-*•\u2013·])\s*)+")
_SEPARATOR = re.compile(r"[,;\n]|\s\d+[.)]\s|\band\b(?=[^,;\n]*$)")
_LEADING = re.compile(r"^(?:(?:and|or|an?|the|it|its|has|have|is|are|with)\s+)+")
_WORD = r"[a-z0-9]+(?:['\u2019-][a-z0-9]+|(?<=[0-9])\.[0-9]+)*"
_WORDS_ONLY = re.compile(rf"{_WORD}(?: {_WORD})*")
_SMALL_WORDS = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with")
)
_PLURALS = {
    r"(?<!s)$": "s",
    r"(?:(?<=[osxz])|(?<=[cs]h))$": "es",
    r"(?<=[^aeiou])y$": "ies",
    r"fe?$": "ves",
}
"""End of a word -> end of its plural."""


@dataclass(frozen=True)
class Answer:
    """What became of one text."""

    elements: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    """Phrases left out, each with the reason."""


def parse_answer(answer: str, text: str, prompt: Prompt) -> Answer:
    """Elements of one answer: lower case, one blank between words, no repeats.

    Rejected are echoes of the question, the text itself and its words, phrases of more than four
    words, elements of the prompt's examples, bare numbers and everything that is no phrase.
    """
    next_question = re.compile(rf"^\s*{re.escape(prompt.asks)}:", re.MULTILINE | re.IGNORECASE)
    said = next_question.split(answer, maxsplit=1)[0]
    parsed = sift(_phrases(said), text, prompt)
    kept = ", ".join(parsed.elements)
    if kept == said:
        return parsed
    # Where the last phrase is left out, the one before it is the last: its "and" now separates.
    again = parse_answer(kept, text, prompt)
    return Answer(again.elements, parsed.rejected + again.rejected)


def sift(phrases: Iterable[str], text: str, prompt: Prompt | None = None) -> Answer:
    """Keep the phrases that can be elements of a text."""
    kept: dict[str, None] = {}
    rejected = []
    for phrase in phrases:
        reason = "repeated" if phrase in kept else _fault(phrase, text, prompt)
        if reason:
            rejected.append((phrase, reason))
        else:
            kept[phrase] = None
    return Answer(tuple(kept), tuple(rejected))


def normalise(phrase: str) -> str:
    """Lower case, without list marks, articles, quotes and final stops; one blank between words."""
    plain = _LIST_MARK.sub("", phrase.lower())
    plain = " ".join(plain.split()).strip(" .!\"'\u2019“”`*_")
    return _LEADING.sub("", plain)


def _phrases(said: str) -> Iterator[str]:
    for piece in _SEPARATOR.split(said):
        phrase = normalise(piece)
        if phrase:
            yield phrase


def _fault(phrase: str, text: str, prompt: Prompt | None) -> str:
    """Why a phrase is no element of the text; empty if it is one."""
    if prompt and _echoes(phrase, prompt):
        return "echo"
    if not _WORDS_ONLY.fullmatch(phrase) or re.fullmatch(r"[\d\W]+", phrase):
        return "no phrase"
    if len(phrase.split()) > MAX_WORDS:
        return "too long"
    if names(phrase, text):
        return "name"
    if prompt and phrase in prompt.example_elements:
        return "example"
    return ""


def _echoes(phrase: str, prompt: Prompt) -> bool:
    """Whether a phrase is a clause of the instruction, or several of its words in a row.

    One word of it may be true of a thing: *short*.
    """
    labels = (f"{prompt.asks.lower()}:", prompt.replies.lower())
    run = " " in phrase and f" {phrase} " in f" {' '.join(_words(prompt.instruction))} "
    return run or phrase in _clauses(prompt.instruction) or any(label in phrase for label in labels)


@cache
def _clauses(instruction: str) -> frozenset[str]:
    """What stands between commas, colons and stops, as phrases of an answer are written."""
    return frozenset(part for said in re.split("[.:]", instruction) for part in _phrases(said))


def names(phrase: str, text: str) -> bool:
    """Whether a phrase is the text, holds all of it, or only repeats words of it.

    A word and its plural are the same.
    """
    own, said = _content(text), _content(phrase)
    return _within(said, own) or _within(own, said)


def _content(text: str) -> set[str]:
    """The words that matter."""
    return set(_words(text)) - _SMALL_WORDS


def _within(words: set[str], others: set[str]) -> bool:
    forms = {form for other in others for form in _forms(other)}
    return all(_forms(word) & forms for word in words)


@cache
def _forms(word: str) -> frozenset[str]:
    """A word and its regular plurals, rather one that does not exist than one too few."""
    return frozenset([word, *(re.sub(end, plural, word) for end, plural in _PLURALS.items())])


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'\u2019-]+", text.lower())
