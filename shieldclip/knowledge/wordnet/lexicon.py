"""WordNet's own database files (wndb format), read without any other library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shieldclip.errors import ShieldCLIPError

DEFAULT_FOLDER = Path("/usr/share/wordnet")
"""Where Debian's package ``wordnet-base`` puts the files."""

LEXICOGRAPHER_FILES = {
    5: "animal",
    6: "artifact",
    7: "attribute",
    8: "body",
    13: "food",
    14: "group",
    15: "location",
    17: "object",
    18: "person",
    19: "phenomenon",
    20: "plant",
    25: "shape",
    27: "substance",
}
"""Topics of noun senses, by number; abstract ones are left out."""

_HYPERNYMS = ("@", "@i")
_PART_MERONYM = "%p"


@dataclass(frozen=True)
class Sense:
    """One synonym set of nouns."""

    offset: int
    topic: str
    """A value of `LEXICOGRAPHER_FILES`, or empty."""
    lemmas: tuple[str, ...]
    hypernyms: tuple[int, ...]
    parts: tuple[int, ...]
    """Offsets of part meronyms."""
    gloss: str


@dataclass(frozen=True)
class WordNet:
    """Nouns with their senses, and the set of adjectives."""

    nouns: dict[str, tuple[int, ...]]
    """Lemma with blanks -> offsets of its senses, most frequent first."""
    adjectives: frozenset[str]
    plurals: dict[str, str]
    """Irregular plurals -> singular."""
    lines: dict[int, str]
    """Offset -> line of ``data.noun``."""

    def sense(self, offset: int) -> Sense:
        """The sense at an offset of ``data.noun``."""
        return _parse_sense(self.lines[offset])

    def senses(self, noun: str) -> list[Sense]:
        """All senses of a noun or its plural, most frequent first; empty if unknown."""
        return [self.sense(offset) for offset in self.nouns.get(self.singular(noun), ())]

    def singular(self, noun: str) -> str:
        """The lemma of a noun, by WordNet's own rules of detachment; unknown ones stay."""
        forms = (noun, *_detached(noun))
        if noun in self.plurals:
            return self.plurals[noun]
        return next((form for form in forms if form in self.nouns), noun)

    def ancestors(self, sense: Sense) -> Iterator[Sense]:
        """Hypernyms of a sense, nearest first, each once."""
        seen, front = {sense.offset}, [*sense.hypernyms]
        while front:
            offset = front.pop(0)
            if offset not in seen:
                seen.add(offset)
                found = self.sense(offset)
                front.extend(found.hypernyms)
                yield found


@cache
def read_wordnet(folder: Path | None = None) -> WordNet:
    """Read the files of a folder; ``None`` asks ``WNSEARCHDIR``, then Debian's place.

    Raises:
        ShieldCLIPError: the folder does not hold them.
    """
    folder = folder or Path(os.environ.get("WNSEARCHDIR", DEFAULT_FOLDER))
    try:
        return WordNet(
            nouns=dict(map(_index_entry, _entries(folder / "index.noun"))),
            adjectives=frozenset(_index_entry(line)[0] for line in _entries(folder / "index.adj")),
            plurals=dict(_plural(line) for line in _entries(folder / "noun.exc")),
            lines={int(line[:8]): line for line in _entries(folder / "data.noun")},
        )
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected WordNet's index.noun, data.noun, noun.exc and index.adj in {str(folder)!r}, "
            f"got: {error.strerror}; `apt-get install wordnet-base`, or give their folder by "
            "--model DIR or WNSEARCHDIR."
        ) from error


def _entries(path: Path) -> list[str]:
    """Lines of a file without its licence, which is indented."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("  ")]


def _index_entry(line: str) -> tuple[str, tuple[int, ...]]:
    fields = line.split()
    offsets = fields[-int(fields[2]) :]
    return fields[0].replace("_", " "), tuple(map(int, offsets))


def _plural(line: str) -> tuple[str, str]:
    plural, singular, *_ = line.replace("_", " ").split()
    return plural, singular


def _parse_sense(line: str) -> Sense:
    record, _, gloss = line.partition(" | ")
    fields = record.split()
    words = int(fields[3], 16)
    first = 5 + 2 * words
    pointers = [fields[at : at + 4] for at in range(first, first + 4 * int(fields[first - 1]), 4)]
    return Sense(
        offset=int(fields[0]),
        topic=LEXICOGRAPHER_FILES.get(int(fields[1]), ""),
        lemmas=tuple(lemma.replace("_", " ") for lemma in fields[4 : first - 1 : 2]),
        hypernyms=tuple(int(to) for symbol, to, *_ in pointers if symbol in _HYPERNYMS),
        parts=tuple(int(to) for symbol, to, *_ in pointers if symbol == _PART_MERONYM),
        gloss=gloss.strip(),
    )


def _detached(noun: str) -> Iterator[str]:
    endings = {"ses": "s", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man"}
    for ending, singular in {**endings, "ies": "y", "s": ""}.items():
        if noun.endswith(ending):
            yield noun.removesuffix(ending) + singular
