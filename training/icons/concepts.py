"""Which icon of which set shows which concept: names joined by code point, else by label."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from icons.packages import IconSet

PICTURED_GROUPS = {0, 1, 3, 4, 5, 6, 7}
"""Emojibase groups with a picture of something: no skin tones, symbols or flags."""


@dataclass(frozen=True)
class Concept:
    """One thing that icons show."""

    name: str
    codepoint: str
    keywords: tuple[str, ...]
    group: str
    subgroup: str


def read_concepts(emoji: list[dict[str, Any]], groups: Mapping[str, Any]) -> dict[str, Concept]:
    """Emojibase records -> concepts by code point."""
    concepts = {}
    for record in emoji:
        if record.get("group") in PICTURED_GROUPS:
            codepoint = plain_codepoint(record["hexcode"])
            concepts[codepoint] = Concept(
                name=record["label"].replace("\u2019", "'").lower(),
                codepoint=codepoint,
                keywords=tuple(tag.lower() for tag in record.get("tags", [])),
                group=groups["groups"][str(record["group"])],
                subgroup=groups["subgroups"][str(record["subgroup"])],
            )
    return concepts


def plain_codepoint(hexcode: str) -> str:
    """Lower case, without variation selectors: ``2764-FE0F`` -> ``2764``."""
    return "-".join(part for part in hexcode.lower().split("-") if part != "fe0f")


def squash(name: str) -> str:
    """A name without case, accents and separators: the sets write ``alarmclock`` and
    ``Alarm clock`` for one thing.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", ascii_name.lower().replace("&", "and"))


def known_names(
    concepts: Mapping[str, Concept],
    shortcodes: Iterable[Mapping[str, Any]],
    icon_sets: Iterable[IconSet],
) -> dict[str, str]:
    """Squashed name -> code point. Names are tried from the most to the least trusted and a name
    claimed by two concepts on one level of trust is dropped.
    """
    levels: list[list[tuple[str, str]]] = [
        [(concept.name, point) for point, concept in concepts.items()],
        [(name, point) for icons in icon_sets for name, point in _charted_names(icons)],
        [
            (unicodedata.name(chr(int(point, 16)), ""), point)
            for point in concepts
            if "-" not in point
        ],
        [(name, point) for table in shortcodes for name, point in _shortcode_names(table)],
    ]
    names: dict[str, str] = {}
    for level in levels:
        claims: dict[str, set[str]] = {}
        for name, point in level:
            if squash(name) and point in concepts:
                claims.setdefault(squash(name), set()).add(point)
        for name, points in claims.items():
            if len(points) == 1:
                names.setdefault(name, next(iter(points)))
    return names


def _charted_names(icons: IconSet) -> Iterator[tuple[str, str]]:
    for codepoint, name in icons.codepoints.items():
        point = plain_codepoint(codepoint)
        body = icons.aliases.get(name, name)
        yield name, point
        yield body, point
        yield from ((alias, point) for alias, parent in icons.aliases.items() if parent == body)


def _shortcode_names(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for hexcode, codes in table.items():
        for code in [codes] if isinstance(codes, str) else codes:
            yield code, plain_codepoint(hexcode)


def match_icons(
    icons: IconSet, concepts: Mapping[str, Concept], names: Mapping[str, str]
) -> dict[str, str]:
    """Code point -> icon name, at most one icon a concept and no skin-tone variants."""
    matched: dict[str, str] = {}
    for codepoint, name in icons.codepoints.items():
        body = icons.aliases.get(name, name)
        if plain_codepoint(codepoint) in concepts and body in icons.bodies:
            matched.setdefault(plain_codepoint(codepoint), body)
    taken = set(matched.values())
    for name in sorted(icons.bodies):
        for spelling in _spellings(name, icons.style):
            point = names.get(squash(spelling))
            if point and point not in matched and name not in taken:
                matched[point] = name
                taken.add(name)
    return matched


def _spellings(name: str, style: str) -> tuple[str, ...]:
    """Sets add their own marks to names: ``octopus-fxemoji-name``, ``bear-face``."""
    bare = name.removesuffix(f"-{style}-name")
    return bare, f"{bare}-face", bare.removesuffix("-face")
