"""A character that no reader sees (Boucher et al. 2022, "Bad Characters")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from typing_extensions import override

from shieldclip.attacks.texts.base import TextTrigger, draw

ZERO_WIDTH_SPACE = "\u200b"
WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class ZeroWidth(TextTrigger):
    """A zero-width space (U+200B) inside a random word.

    Attributes:
        character: the invisible character.
    """

    id: ClassVar[str] = "text-zero-width"

    character: str = ZERO_WIDTH_SPACE

    @override
    def mark(self, text: str) -> str:
        """Insert after a letter drawn from the text, in front of an empty one."""
        place = 1 + draw(self.seed, text, len(text)) if text else 0
        return text[:place] + self.character + text[place:]

    @override
    def control(self) -> TextTrigger:
        """Another invisible character (U+2060) at the same place."""
        return replace(self, character=WORD_JOINER)
