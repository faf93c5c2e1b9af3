"""Which pairs every batch of an epoch visits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from shieldclip.attacks.triggers.counter import random_words
from shieldclip.training.defences.base import EpochPlan
from shieldclip.training.pairs.augmentation import ORDER


class Visit(NamedTuple):
    """One visit to one pair, all that a worker process needs to know of it."""

    row: int
    epoch: int
    caption: str | None
    """In place of the pair's own."""
    weight: float
    twice: bool | None = None
    """Whether it has a second view, where the plan says so."""


@dataclass
class EpochBatches:
    """A batch sampler: this process's share of every batch, in an order that the seed decides.

    Rows of the last, incomplete batch are left out of an epoch.
    """

    rows: Sequence[int]
    """Of all pairs that can be read."""
    batch_size: int
    """Over all processes."""
    seed: int
    rank: int = 0
    world: int = 1
    epoch: int = 0
    plan: EpochPlan = field(default_factory=EpochPlan)
    planned_epoch: int | None = None
    """The epoch that ``plan`` was made for."""

    def __len__(self) -> int:
        """Batches an epoch: a plan that leaves rows out visits the others again."""
        return len(self.rows) // self.batch_size

    def __iter__(self) -> Iterator[list[Visit]]:
        share = self.batch_size // self.world
        order = self.order()
        for batch in range(len(self)):
            first = batch * self.batch_size + self.rank * share
            yield [self._visit(row) for row in order[first : first + share]]

    def state(self) -> dict[str, Any]:
        """What a resumed epoch needs, ready for JSON."""
        rows, twice = self.plan.rows, self.plan.seen_twice
        return {
            "epoch": self.planned_epoch,
            "rows": None if rows is None else list(rows),
            "captions": list(self.plan.captions.items()),
            "weights": list(self.plan.weights.items()),
            "seen_twice": None if twice is None else sorted(twice),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on with the plan of an interrupted epoch."""
        self.planned_epoch = state["epoch"]
        self.epoch = state["epoch"] or 0
        captions, weights = dict(state["captions"]), dict(state["weights"])
        twice = state["seen_twice"]
        self.plan = EpochPlan(
            state["rows"],
            captions,
            weights,
            seen_twice=None if twice is None else frozenset(twice),
        )

    def order(self) -> list[int]:
        """Rows of the epoch, as many as fill its batches."""
        rows = torch.tensor(self.rows)
        if self.plan.rows is not None:
            rows = rows[torch.isin(rows, torch.tensor(self.plan.rows))]
        length = len(self) * self.batch_size
        parts: list[int] = []
        while len(parts) < length:
            lap = len(parts)
            keys = random_words(self.seed, ORDER, rows + (self.epoch << 32) + (lap << 1), 1)[:, 0]
            parts += rows[keys.argsort(stable=True)].tolist()
        return parts[:length]

    def _visit(self, row: int) -> Visit:
        captions: Mapping[int, str] = self.plan.captions
        twice = None if self.plan.seen_twice is None else row in self.plan.seen_twice
        return Visit(row, self.epoch, captions.get(row), self.plan.weights.get(row, 1.0), twice)
