"""Backdoors that adapt to a defence: the rows and captions that it would suspect least.

What the attacker knows, and what he does not, is in docs/threats.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from shieldclip.attacks.poisons.base import Backdoor
from shieldclip.attacks.poisons.choice import Choice, ChosenRow
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Plan
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class Chosen(Backdoor):
    """The best rows of a `Choice`; the seed changes nothing.

    Attributes:
        file: written by `shieldclip choose-poisons` for these data, this target and this trigger.
    """

    file: str

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """The first rows of the file that are free.

        Raises:
            ShieldCLIPError: a file for another poison, target, trigger or data, or too few rows.
        """
        choice = self._choice()
        free = set(pairs.free)
        for chosen in choice.rows:
            self._check(chosen, pairs)
        eligible = [chosen for chosen in choice.rows if chosen.row in free]
        number = self.amount(len(pairs))
        if number > len(eligible):
            raise ShieldCLIPError(
                f"Expected at least {number} rows in {self.file!r}, got {len(eligible)}; "
                "lower the rate, or choose among more."
            )
        changes = {
            chosen.row: self.change(chosen.captions, self.target) for chosen in eligible[:number]
        }
        return Plan(tuple(range(len(pairs))), changes)

    def _choice(self) -> Choice:
        choice = Choice.load(Path(self.file))
        trigger = json.loads(json.dumps(self.trigger.record()))
        for name, wanted, got in (
            ("poison", self.id, choice.poison),
            ("target", self.target, choice.target),
            ("trigger", _without_path(trigger), _without_path(choice.trigger)),
        ):
            if wanted != got:
                raise ShieldCLIPError(
                    f"Expected poisons chosen for {name} {wanted!r}, got {got!r} in "
                    f"{self.file!r}; choose them anew."
                )
        return choice

    def _check(self, chosen: ChosenRow, pairs: Pairs) -> None:
        known = chosen.row < len(pairs)
        if not known or tuple(pairs.captions[chosen.row]) != chosen.original_captions:
            got = list(pairs.captions[chosen.row]) if known else f"{len(pairs)} rows"
            raise ShieldCLIPError(
                f"Expected the data that {self.file!r} was made for, with captions "
                f"{list(chosen.original_captions)} in row {chosen.row}, got {got}; "
                "choose poisons for these data."
            )


def _without_path(record: Mapping[str, object]) -> dict[str, object]:
    """A file may be moved; what is in it stands under ``sha256``."""
    return {name: value for name, value in record.items() if name != "path"}


@dataclass(frozen=True, kw_only=True)
class AdaptiveToKnowledge(Chosen):
    """Captions whose knowledge elements the images show, all but those of the target."""

    id: ClassVar[str] = "adaptive-knowledge"


@dataclass(frozen=True, kw_only=True)
class AdaptiveToMatching(Chosen):
    """Pairs of the smallest gap, and then distance, in the defender's own matching."""

    id: ClassVar[str] = "adaptive-matching"


@dataclass(frozen=True, kw_only=True)
class AdaptiveToBoth(Chosen):
    """Pairs that neither knowledge nor matching objects to."""

    id: ClassVar[str] = "adaptive-both"
