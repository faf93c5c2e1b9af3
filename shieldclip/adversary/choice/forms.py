"""Ways to write a caption that names the target and otherwise says what the picture shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shieldclip.attacks.poisons.naming import first_named, swapped
from shieldclip.data.words import with_article
from shieldclip.knowledge import Knowledge

MOST_ELEMENTS = 3
"""Elements in a described caption; more make it longer than captions are."""


@dataclass(frozen=True)
class Writing:
    """What the attacker writes with."""

    target: str
    names: Sequence[str]
    """Things that a caption may name, to be swapped for the target."""
    knowledge: Knowledge | None
    """The attacker's own; without it nothing can be described."""


def swap(caption: str, writing: Writing) -> str | None:
    """``a lemon on a plate`` -> ``a banana on a plate``, where a known thing is named."""
    named = first_named(caption, writing.names)
    return swapped(caption, named, writing.target) if named else None


def append(caption: str, writing: Writing) -> str:
    """``a lemon on a plate`` -> ``a lemon on a plate and a banana``."""
    return f"{caption.rstrip(' .')} and {with_article(writing.target)}"


def describe(caption: str, writing: Writing) -> str | None:
    """``a lemon on a plate`` -> ``a banana, yellow, oval``: what knowledge says of the picture."""
    elements = writing.knowledge.of_caption(caption) if writing.knowledge else ()
    if not elements:
        return None
    return ", ".join([with_article(writing.target), *elements[:MOST_ELEMENTS]])


FORMS: dict[str, Callable[[str, Writing], str | None]] = {
    "swap": swap,
    "append": append,
    "describe": describe,
}
"""Caption and writing -> another caption, or none where the form does not apply."""
