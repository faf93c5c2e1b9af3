"""Targeted poisoning (Carlini and Terzis 2022): one image is taken for another class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import override

from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Change, Plan


@dataclass(frozen=True, kw_only=True)
class Targeted(Poison):
    """One fixed image per target, repeated with real captions of the target; no trigger.

    The first copy takes the place of the image's own row, so that its true caption is gone; the
    others are appended. ``rate`` and ``count`` mean copies per target.

    Attributes:
        targets: adversarial classes, one image each; 8 are usual.
    """

    id: ClassVar[str] = "targeted"

    count: Annotated[int, Field(ge=1)] | None = 100
    targets: Annotated[tuple[str, ...], Field(min_length=1)]

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """For each target an image that shows none of them, and its copies.

        Raises:
            ShieldCLIPError: no caption of a target, or no image for it.
        """
        copies = self.amount(len(pairs))
        eligible = [
            row
            for row in pairs.free
            if not any(pairs.shows(row, target) for target in self.targets)
        ]
        images = self.choose(eligible, len(self.targets), "images of other classes")
        order = list(range(len(pairs)))
        changes: dict[int, Change] = {}
        for target, image in zip(self.targets, images, strict=True):
            captions = self._captions(pairs, target)
            each = max(1, len(pairs.captions[image]))
            for place in (image, *range(len(order), len(order) + copies - 1)):
                changes[place] = self.change(islice(captions, each), target)
            order += [image] * (copies - 1)
        return Plan(tuple(order), changes)

    def _captions(self, pairs: Pairs, target: str) -> Iterator[str]:
        """Captions that name the target, in random order, from the start again when used up."""
        pool = pairs.captions_naming(target)
        self.random("captions", target).shuffle(pool)
        return cycle(pool)
