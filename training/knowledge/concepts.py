"""The concepts of the icon data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shieldclip.data.sprites import SPLITS, Sprite, load_sprites


@dataclass(frozen=True)
class Concept:
    """One thing that icons show."""

    name: str
    group: str
    subgroup: str
    colour: str
    """Colour of most of its training icons, or empty."""
    keywords: tuple[str, ...]


def read_concepts() -> list[Concept]:
    """All concepts by name; colours from the training styles alone."""
    icons: dict[str, Sprite] = {}
    colours: dict[str, list[str]] = {}
    for split in SPLITS:
        for sprite in load_sprites(split):
            icons.setdefault(sprite.concept, sprite)
            if split == "train":
                colours.setdefault(sprite.concept, []).append(sprite.colour)
    return [_concept(icons[name], colours.get(name, [])) for name in sorted(icons)]


def _concept(icon: Sprite, colours: Sequence[str]) -> Concept:
    colour, count = Counter(colours).most_common(1)[0] if colours else ("", 0)
    return Concept(
        name=icon.concept,
        group=icon.group,
        subgroup=icon.subgroup,
        colour=colour if 2 * count > len(colours) else "",
        keywords=icon.keywords,
    )
