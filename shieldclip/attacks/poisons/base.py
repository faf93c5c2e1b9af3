"""What every poison is: a data set in, a poisoned data set and its manifest out."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import datasets
from pydantic import ConfigDict, Field

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Change, Plan
from shieldclip.attacks.poisons.rewrite import rewrite
from shieldclip.attacks.triggers.base import Trigger
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class Poison(ABC):
    """A change of some rows, chosen by seed.

    Every image, poisoned or not, goes through the same resize, crop and PNG encoding: the file
    itself must not give a poison away.

    Attributes:
        rate: share of all rows to poison; or
        count: number of rows to poison.
        seed: chooses rows and captions.
        image_size: side of the images written, in pixels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    id: ClassVar[str]

    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0
    image_size: Annotated[int, Field(ge=8)] = 224

    def __call__(
        self, rows: datasets.Dataset, classes: Sequence[str] = ()
    ) -> tuple[datasets.Dataset, Manifest]:
        """Poison a data set.

        Args:
            rows: columns ``image`` (``datasets.Image(decode=False)``), ``captions`` (list of
                str) and optionally ``label`` (int into ``classes``).
            classes: class names, if the rows have labels.

        Returns:
            The rows, all images ``[image_size, image_size]`` PNG, other columns kept; and the
            manifest of the poisoned ones.

        Raises:
            ShieldCLIPError: an impossible request, a missing column or an unreadable image.
        """
        pairs = Pairs.of(rows, classes)
        plan = self.plan(pairs)
        poisoned = rewrite(rows, plan, self.image_size)
        entries = (
            Entry(
                row=row,
                poison=change.poison,
                target=change.target,
                original_captions=tuple(pairs.captions[plan.order[row]]),
                new_captions=change.captions,
                trigger=change.trigger.id if change.trigger else None,
                trigger_version=change.trigger.version if change.trigger else None,
                trigger_seed=change.trigger.seed if change.trigger else None,
            )
            for row, change in sorted(plan.changes.items())
        )
        return poisoned, Manifest(tuple(entries))

    @property
    def image_trigger(self) -> Trigger | None:
        """What the poisoned images are stamped with, if anything."""
        return None

    @abstractmethod
    def plan(self, pairs: Pairs) -> Plan:
        """Which of the free rows get which captions."""

    def change(self, captions: Iterable[str], target: str) -> Change:
        """A row poisoned by this poison."""
        return Change(tuple(captions), target, self.id, self.image_trigger)

    def random(self, *parts: object) -> random.Random:
        """A generator for one purpose, from the seed."""
        return random.Random(" ".join(map(str, (self.id, self.seed, *parts))))

    def choose(self, eligible: Sequence[int], number: int, what: str) -> list[int]:
        """Rows to poison, in order.

        Raises:
            ShieldCLIPError: fewer eligible rows than asked for.
        """
        if number > len(eligible):
            raise ShieldCLIPError(
                f"Expected at least {number} {what} to poison, got {len(eligible)}; "
                "lower the rate or count, or choose another target."
            )
        return sorted(self.random(what).sample(list(eligible), number))

    def amount(self, total: int) -> int:
        """Number of rows to poison.

        Raises:
            ShieldCLIPError: not exactly one of rate and count, or a rate of no row at all.
        """
        if (self.rate is None) == (self.count is None):
            raise ShieldCLIPError(
                f"Expected exactly one of rate and count for {self.id!r}, got rate={self.rate} "
                f"and count={self.count}; set one and leave the other null."
            )
        number = round(self.rate * total) if self.rate is not None else self.count or 0
        if number == 0:
            raise ShieldCLIPError(
                f"Expected a rate that poisons a row, got {self.rate} of {total} rows; raise it."
            )
        return number


@dataclass(frozen=True, kw_only=True)
class Backdoor(Poison):
    """A poison that links a trigger to a target class.

    Attributes:
        target: class that triggered images shall be taken for.
        trigger: stamped on every poisoned image, with the row as sample id.
    """

    target: Annotated[str, Field(min_length=1)]
    trigger: Trigger

    @property
    def image_trigger(self) -> Trigger:
        """The trigger."""
        return self.trigger

    def changes(self, rows: Sequence[int], captions: Sequence[Sequence[str]]) -> dict[int, Change]:
        """The chosen rows with their new captions."""
        return {row: self.change(new, self.target) for row, new in zip(rows, captions, strict=True)}
