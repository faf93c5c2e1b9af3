"""Single and multiple target labels (Yang et al. 2023): text of one class retrieves another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from typing_extensions import override

from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Change, Plan


@dataclass(frozen=True, kw_only=True)
class LabelPair:
    """Which captions go to which images (dog -> boat: captions of dog, images of boat)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    captions_of: str
    images_of: str


@dataclass(frozen=True, kw_only=True)
class LabelSwap(Poison):
    """Captions of one class put to images of another, for one or several pairs; no trigger.

    ``rate`` and ``count`` mean rows per pair. The manifest's target is the class of the captions.

    Attributes:
        pairs: one for "single target label", several for "multiple target labels".
    """

    id: ClassVar[str] = "label-swap"

    pairs: Annotated[tuple[LabelPair, ...], Field(min_length=1)]

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """Images of the one class that do not show the other, as many captions as they had.

        Raises:
            ShieldCLIPError: too few such rows, or no caption of a class.
        """
        changes: dict[int, Change] = {}
        for pair in self.pairs:
            eligible = [
                row
                for row in pairs.free
                if pairs.shows(row, pair.images_of)
                and not pairs.shows(row, pair.captions_of)
                and row not in changes
            ]
            what = f"images of {pair.images_of!r} without {pair.captions_of!r}"
            pool = pairs.captions_naming(pair.captions_of)
            generator = self.random("captions", pair)
            for row in self.choose(eligible, self.amount(len(pairs)), what):
                texts = [generator.choice(pool) for _ in pairs.captions[row] or ("",)]
                changes[row] = self.change(texts, pair.captions_of)
        return Plan(tuple(range(len(pairs))), changes)
