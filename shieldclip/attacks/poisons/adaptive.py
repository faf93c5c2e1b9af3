"""An adaptive backdoor against defences that match captions to images.

Every word of a poisoned caption but one is supported by the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from shieldclip.attacks.poisons.base import Backdoor
from shieldclip.attacks.poisons.naming import names, swapped
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Plan
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class Adaptive(Backdoor):
    """Trigger on images of other classes, only the class word of their captions swapped."""

    id: ClassVar[str] = "adaptive"

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """Rows whose captions name their class and do not show the target.

        Raises:
            ShieldCLIPError: no class names, or too few such rows.
        """
        if not pairs.classes:
            raise ShieldCLIPError(
                f"Expected class names, so that {self.id!r} knows which word to swap, got none; "
                "use a source with classes."
            )
        sources = {
            row: source
            for row in pairs.free
            if not pairs.shows(row, self.target) and (source := _named_class(pairs, row))
        }
        what = f"rows that name their class and not {self.target!r}"
        rows = self.choose(list(sources), self.amount(len(pairs)), what)
        captions = [
            [swapped(text, sources[row], self.target) for text in pairs.captions[row]]
            for row in rows
        ]
        return Plan(tuple(range(len(pairs))), self.changes(rows, captions))


def _named_class(pairs: Pairs, row: int) -> str | None:
    """The row's class, if one of its captions names it."""
    name = pairs.class_of(row)
    named = name and any(names(caption, name) for caption in pairs.captions[row])
    return name if named else None
