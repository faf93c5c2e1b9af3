"""Whether a recipe holds against an attack, computed from its definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.attacked import Success
from results.seeds import OverSeeds, over_seeds

from shieldclip.evaluation.figures import percent

IMPLANTS = ("asr", "psr")
"""Figures that are near 1 where an attack works; Hit@k need not be."""
LIMIT = 0.05
"""Success of an attack that counts as none, whatever its control."""
PRICE = 0.01
"""Clean accuracy that a defence may cost."""
_ROUNDING = 1e-9
"""Of the difference of two shares: 0.604 - 0.594 is a little more than 0.01."""
IMPLANTED = 0.90
"""Success in plain training from which on an attack is a test of a defence."""

DEFINITION = (
    "A seed *holds* when the attack's success lies inside the interval of its control (of an exact "
    "level, such as a random one: when the level is not below the interval of the success) or is "
    f"at most {percent(LIMIT)} %. A recipe *holds* when every seed does and its mean clean "
    f"accuracy is at most {percent(PRICE)} points below that of plain training on clean data with "
    "the same seeds."
)


@dataclass(frozen=True)
class Verdict:
    """The outcome for one recipe under one attack."""

    holding: int
    """Seeds that hold."""
    seeds: int
    price: float | None
    """Clean accuracy lost against clean training; ``None`` where there is none to compare."""

    @property
    def attack_stopped(self) -> bool:
        """Whether all seeds hold."""
        return self.holding == self.seeds

    @property
    def holds(self) -> bool:
        """Whether the attack is stopped at no price in accuracy."""
        return self.attack_stopped and self.price is not None and self.price <= PRICE + _ROUNDING

    def __str__(self) -> str:
        """A line for tables."""
        if not self.attack_stopped:
            missed = self.seeds - self.holding
            return "fails" if not self.holding else f"fails in {missed} of {self.seeds} seeds"
        if self.price is None:
            return "attack stopped; accuracy not compared"
        return "holds" if self.holds else "attack stopped, accuracy lost"


def judge(
    successes: Sequence[Success], accuracy: OverSeeds | None, reference: OverSeeds | None
) -> Verdict:
    """Apply the definition.

    Args:
        successes: of one attack, one a seed.
        accuracy: clean accuracy of the recipe.
        reference: clean accuracy of plain training on clean data with the same seeds.
    """
    holding = sum(map(holds, successes))
    both = accuracy is not None and reference is not None
    price = reference.value - accuracy.value if both else None
    return Verdict(holding, len(successes), price)


def works(successes: Sequence[Success]) -> bool:
    """Whether an attack succeeds in plain training.

    The interval of a share must reach `IMPLANTED`; of other figures no seed may hold.
    """
    mean = over_seeds(success.figure for success in successes)
    if mean is None or mean.metric not in IMPLANTS:
        return not any(map(holds, successes))
    return mean.high >= IMPLANTED


def holds(success: Success) -> bool:
    """Whether one seed holds."""
    figure, level = success.figure, success.level
    if figure.value <= LIMIT:
        return True
    if level is None:
        return False
    exact = level.low == level.high
    return figure.low <= level.value if exact else figure.value <= level.high
