"""Does a caption name a class? Whole words, any case, singular or plural."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_IRREGULAR = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "man": "men",
    "mouse": "mice",
    "ox": "oxen",
    "person": "people",
    "tooth": "teeth",
}


def plural(name: str) -> str:
    """``cherry`` -> ``cherries``, ``polar bear`` -> ``polar bears``."""
    for ending, irregular in _IRREGULAR.items():
        if re.search(rf"(?:\b|(?<=wo)|(?<=fire)|(?<=snow)){ending}$", name):
            return name[: -len(ending)] + irregular
    if re.search(r"[^aeiou]y$", name):
        return name[:-1] + "ies"
    if re.search(r"(?:[lr]f|eaf|(?:kn|w|l)ife)$", name):
        return re.sub(r"fe?$", "ves", name)
    return name + ("es" if re.search(r"(?:s|x|z|ch|sh)$", name) else "s")


def _words(name: str) -> str:
    """The name as a regular expression in which blank, hyphen and underscore are alike."""
    return r"[\s_-]+".join(re.escape(word) for word in re.split(r"[\s_-]+", name.strip().lower()))


@lru_cache(maxsize=4096)
def _mention(name: str) -> re.Pattern[str]:
    forms = rf"(?P<plural>{_words(plural(name.lower()))})|(?:{_words(name)})"
    return re.compile(rf"(?<!\w)(?:(?P<article>an?)\s+)?(?:{forms})(?!\w)", re.IGNORECASE)


def names(caption: str, name: str) -> bool:
    """Whether the caption names the class."""
    return _mention(name).search(caption) is not None


@lru_cache(maxsize=16)
def _any_of(classes: tuple[str, ...]) -> re.Pattern[str]:
    groups = [f"({_words(plural(name))}|{_words(name)})" for name in classes]
    return re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)", re.IGNORECASE)


def first_named(caption: str, classes: Sequence[str]) -> str | None:
    """The class named first in the caption (``hot dog`` before ``dog``), if any."""
    longest_first = tuple(sorted(classes, key=lambda name: (-len(name), name)))
    found = _any_of(longest_first).search(caption) if longest_first else None
    return longest_first[found.lastindex - 1] if found and found.lastindex else None


def swapped(caption: str, source: str, target: str) -> str:
    """The caption with the target's name wherever it named the source.

    Number, capitals and the article follow: ``An owl and two Owls`` -> ``A cat and two Cats``.
    """

    def replace(match: re.Match[str]) -> str:
        article = match["article"] or ""
        found = match[0][len(article) :].lstrip()
        name = _cased_like(found, plural(target) if match["plural"] else target)
        if not article:
            return name
        wanted = "an" if target[0].lower() in "aeiou" else "a"
        return f"{wanted.capitalize() if article[0].isupper() else wanted} {name}"

    return _mention(source).sub(replace, caption)


def _cased_like(model: str, name: str) -> str:
    if model.isupper() and len(model) > 1:
        return name.upper()
    return name[0].upper() + name[1:] if model[0].isupper() else name
