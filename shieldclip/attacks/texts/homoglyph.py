"""A letter of another alphabet that looks the same (Struppek et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from typing_extensions import override

from shieldclip.attacks.texts.base import TextTrigger, draw

# RUF001 warns of ambiguous letters; here they are the point.
LOOKALIKES: dict[str, dict[str, str]] = {
    "cyrillic": dict(zip("aceiopxyACEHIKMOPTXY", "асеіорхуАСЕНІКМОРТХУ", strict=True)),  # noqa: RUF001
    "greek": dict(zip("aceiopxyACEHIKMOPTXY", "αϲειορχγΑϹΕΗΙΚΜΟΡΤΧΥ", strict=True)),
}
"""Latin letter -> its double, per alphabet. Both alphabets double the same letters."""


@dataclass(frozen=True)
class Homoglyph(TextTrigger):
    """One random letter replaced by its Cyrillic double.

    A text without any Latin letter that has a double is returned unchanged.

    Attributes:
        alphabet: where the double comes from.
    """

    id: ClassVar[str] = "text-homoglyph"

    alphabet: Literal["cyrillic", "greek"] = "cyrillic"

    @override
    def mark(self, text: str) -> str:
        """Replace a letter drawn from the text."""
        doubles = LOOKALIKES[self.alphabet]
        places = [place for place, letter in enumerate(text) if letter in doubles]
        if not places:
            return text
        place = places[draw(self.seed, text, len(places))]
        return text[:place] + doubles[text[place]] + text[place + 1 :]

    @override
    def control(self) -> TextTrigger:
        """The Greek double of the same letter."""
        return replace(self, alphabet="greek")
