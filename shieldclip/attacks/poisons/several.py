"""Several attacks on one data set, by one attacker or by many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import override

from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Plan, joined
from shieldclip.attacks.triggers.base import Trigger
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class Several(Poison):
    """Other poisons, one after the other, each on rows that none before it took.

    Each has its own rate or count, target and trigger, and its own id in the manifest. The seed is
    added to the seed of each, and all images have the size given here.

    Attributes:
        poisons: at least two.
    """

    id: ClassVar[str] = "several"

    poisons: Annotated[tuple[Poison, ...], Field(min_length=2)]

    @property
    @override
    def image_trigger(self) -> Trigger | None:
        """The one trigger of all, if they share one."""
        triggers = {poison.image_trigger for poison in self.poisons}
        return triggers.pop() if len(triggers) == 1 else None

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """What each of them does with the rows that the ones before it left.

        Raises:
            ShieldCLIPError: a rate or count for all together, or too few rows left for one.
        """
        if self.rate is not None or self.count is not None:
            raise ShieldCLIPError(
                f"Expected a rate or count in each of the poisons of {self.id!r}, got "
                f"rate={self.rate} and count={self.count} for all; move it into them."
            )
        plans: list[Plan] = []
        taken = pairs.taken
        for poison in self.poisons:
            seeded = replace(poison, seed=poison.seed + self.seed)
            plan = seeded.plan(replace(pairs, taken=taken))
            taken |= {plan.order[row] for row in plan.changes}
            plans.append(plan)
        return joined(plans, len(pairs))
