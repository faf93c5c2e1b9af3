"""What a poison is going to do, before any pixel is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shieldclip.attacks.triggers.base import Trigger


@dataclass(frozen=True)
class Change:
    """One poisoned row."""

    captions: tuple[str, ...]
    """Its new captions."""
    target: str
    """The class it is meant to be taken for."""
    poison: str
    """Id of the poison."""
    trigger: Trigger | None = None
    """Stamped on the image."""


@dataclass(frozen=True)
class Plan:
    """Rows of the poisoned data set.

    Attributes:
        order: source row of every row: first every source row, then copies of some.
        changes: the poisoned rows, by their index in ``order``.
    """

    order: tuple[int, ...]
    changes: Mapping[int, Change]


def joined(plans: Sequence[Plan], total: int) -> Plan:
    """Several plans for one data set of ``total`` rows; none may change what another changes."""
    order = list(range(total))
    changes: dict[int, Change] = {}
    for plan in plans:
        shift = len(order) - total
        changes |= {row + shift * (row >= total): change for row, change in plan.changes.items()}
        order += plan.order[total:]
    return Plan(tuple(order), changes)
