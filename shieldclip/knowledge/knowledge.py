"""Knowledge elements by caption: the table, and how a caption finds its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shieldclip.errors import unknown_name
from shieldclip.knowledge.rows import KnowledgeRow, read_rows

_FOLDER = Path(__file__).parent / "icons"
EMBEDDED = {
    "icons": _FOLDER / "icons.parquet",
    "icons-smollm2": _FOLDER / "icons-smollm2.parquet",
}
"""Knowledge that ships with the package, by the name after ``embedded:``."""

_WORD = re.compile(r"\w+(?:['\u2019.-]\w+)*")


@dataclass(frozen=True)
class Knowledge:
    """Visual properties, parts and categories of what texts name."""

    elements: Mapping[str, tuple[str, ...]]
    """Caption or class name -> its elements."""

    @classmethod
    def of_rows(cls, rows: Iterable[KnowledgeRow]) -> Knowledge:
        """Rows of one text are joined, without repeats."""
        elements: dict[str, tuple[str, ...]] = {}
        for row in rows:
            elements[row.text] = _union([elements.get(row.text, ()), row.elements])
        return cls(elements)

    def of_caption(self, caption: str) -> tuple[str, ...]:
        """Elements of a caption; empty when nothing is known about it.

        The row of exactly this text if there is one; else the union of the rows of all texts that
        occur in the caption as whole words, singular or plural, in any case. Longest texts are
        found first and a word is used once: ``hot dog`` is no ``dog``.
        """
        known = self._memo.get(caption)
        if known is None:
            exact = self.elements.get(caption)
            known = _union(self._named(caption)) if exact is None else exact
            self._memo[caption] = known
        return known

    @cached_property
    def _memo(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {words: found for text, found in self.elements.items() if (words := _words(text))}

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(words) for words in self._by_words}, reverse=True))

    def _named(self, caption: str) -> Iterator[tuple[str, ...]]:
        words, used = _words(caption), set[int]()
        for length in self._lengths:
            for start in range(len(words) - length + 1):
                places = range(start, start + length)
                if used.isdisjoint(places):
                    found = self._look_up(words[start : start + length])
                    if found is not None:
                        used.update(places)
                        yield found

    def _look_up(self, words: tuple[str, ...]) -> tuple[str, ...] | None:
        for last in (words[-1], *_singulars(words[-1])):
            found = self._by_words.get((*words[:-1], last))
            if found is not None:
                return found
        return None


def load_knowledge(spec: str | Path) -> Knowledge:
    """``embedded:icons``, ``embedded:icons-smollm2``, or a parquet, JSON Lines or JSON file.

    Raises:
        ShieldCLIPError: no such knowledge, or a file that does not hold any.
    """
    return Knowledge.of_rows(read_rows(knowledge_file(spec)))


def knowledge_file(spec: str | Path) -> Path:
    """Where the rows lie of what `load_knowledge` takes; a file need not be there.

    Raises:
        ShieldCLIPError: no such knowledge ships with the package.
    """
    name = str(spec).removeprefix("embedded:")
    if name == str(spec):
        return Path(spec)
    if name not in EMBEDDED:
        raise unknown_name("embedded knowledge", name, EMBEDDED)
    return EMBEDDED[name]


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


def _singulars(word: str) -> tuple[str, ...]:
    """Spellings that a regular plural may come from: ``cherries`` -> ``cherry``."""
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return ()
    if word.endswith("ies"):
        return word[:-3] + "y", word[:-1]
    return (word[:-1], word[:-2]) if word.endswith("es") else (word[:-1],)


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(element for part in parts for element in part))
