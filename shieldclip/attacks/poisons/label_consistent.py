"""The label-consistent backdoor (Turner et al. 2019): no caption gives it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from shieldclip.attacks.poisons.base import Backdoor
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Plan


@dataclass(frozen=True, kw_only=True)
class LabelConsistent(Backdoor):
    """Trigger on images whose captions already name the target; captions kept."""

    id: ClassVar[str] = "label-consistent"

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """Rows with a caption that names the target.

        Raises:
            ShieldCLIPError: too few such rows, or none.
        """
        naming = set(pairs.captions_naming(self.target))
        eligible = [row for row in pairs.free if not naming.isdisjoint(pairs.captions[row])]
        what = f"rows with captions that name {self.target!r}"
        rows = self.choose(eligible, self.amount(len(pairs)), what)
        return Plan(
            tuple(range(len(pairs))), self.changes(rows, [pairs.captions[row] for row in rows])
        )
