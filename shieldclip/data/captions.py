"""Captions for icons, as varied as people write them, and the prompts that match them."""

from __future__ import annotations

import numpy as np

from shieldclip.data.scenes.colours import COLOURS
from shieldclip.data.sprites import Sprite
from shieldclip.data.words import with_article

ICON_TEMPLATES: tuple[str, ...] = (
    "{}",
    "a picture of {}",
    "an icon of {}",
    "a drawing of {}",
    "{} on a background",
)
"""Zero-shot prompts for icons; without articles, so that they fit every name."""


def describe(sprite: Sprite, rng: np.random.Generator) -> str:
    """A noun phrase for an icon: its name, sometimes with its colour and an article."""
    name = sprite.concept
    named_colour = any(colour in name.split() for colour in COLOURS)
    if sprite.colour and not named_colour and rng.random() < 0.2:
        name = f"{sprite.colour} {name}"
    return with_article(name) if rng.random() < 0.6 else name


def caption_icon(sprite: Sprite, colour: str, rng: np.random.Generator) -> str:
    """One caption for a picture of one icon on a background of a named colour."""
    phrase = describe(sprite, rng)
    caption = str(rng.choice(ICON_TEMPLATES[:-1])).format(phrase)
    if rng.random() < 0.25:
        caption += f" on {with_article(colour)} background"
    keywords = [word for word in sprite.keywords if word not in sprite.concept]
    if keywords and rng.random() < 0.3:
        chosen = rng.choice(len(keywords), size=min(len(keywords), 2), replace=False)
        caption += ", " + ", ".join(keywords[index] for index in sorted(chosen))
    return caption
