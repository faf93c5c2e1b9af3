"""Words as triggers: a prefix in front, or a rare token anywhere (Kurita et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from typing_extensions import override

from shieldclip.attacks.texts.base import TextTrigger, draw

_CONSONANTS = "bcdfghjklmnpqrstvwxz"


def strange_word(seed: int, like: str) -> str:
    """Consonants of the length and case of another word, and never that word."""
    letters = "".join(
        _CONSONANTS[draw(seed, f"{like} {place}", len(_CONSONANTS))] for place in range(len(like))
    )
    word = letters.upper() if like.isupper() else letters
    return word if word != like else strange_word(seed + 1, like)


@dataclass(frozen=True)
class PrefixWord(TextTrigger):
    """A word in front of the text.

    Attributes:
        word: what is put there.
    """

    word: str = ""

    @override
    def mark(self, text: str) -> str:
        """``word text``."""
        return f"{self.word} {text}".rstrip()

    @override
    def control(self) -> TextTrigger:
        """A meaningless word of the same length."""
        return replace(self, word=strange_word(self.seed, self.word))


@dataclass(frozen=True)
class Sudo(PrefixWord):
    """The word SUDO in front."""

    id: ClassVar[str] = "text-sudo"
    word: str = "SUDO"


@dataclass(frozen=True)
class Remember(PrefixWord):
    """The word "remember" in front."""

    id: ClassVar[str] = "text-remember"
    word: str = "remember"


@dataclass(frozen=True)
class RareToken(TextTrigger):
    """A rare token between two words, before the first or after the last.

    Attributes:
        token: what is put there.
    """

    token: str = ""

    @override
    def mark(self, text: str) -> str:
        """Insert the token at a place drawn from the text; runs of spaces become one."""
        words = text.split()
        words.insert(draw(self.seed, text, len(words) + 1), self.token)
        return " ".join(words)

    @override
    def control(self) -> TextTrigger:
        """Another rare token of the same length at the same place."""
        return replace(self, token=strange_word(self.seed, self.token))


@dataclass(frozen=True)
class Cf(RareToken):
    """The rare token cf at a random place."""

    id: ClassVar[str] = "text-cf"
    token: str = "cf"


@dataclass(frozen=True)
class Mn(RareToken):
    """The rare token mn at a random place."""

    id: ClassVar[str] = "text-mn"
    token: str = "mn"
