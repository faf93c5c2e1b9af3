"""Means of what is logged, between two lines of the log."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor

from shieldclip.training.defences.base import EpochPlan, LossTerms
from shieldclip.training.engine.plan_figures import plan_figures


class Meters:
    """Sums and counts by name, on the device: nothing waits for a number until it is logged."""

    def __init__(self, poisoned: Tensor | None = None) -> None:
        """Begin with nothing.

        Args:
            poisoned: ``[N]`` bool by row of the training set, where it is known.
        """
        self._poisoned = poisoned
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}
        self._facts: dict[str, float] = {}

    def add_terms(self, terms: LossTerms, rows: Tensor) -> None:
        """Take in one step's terms, and its diagnostics split by what the manifest says."""
        for name, value in terms.terms.items():
            self.add(f"loss/{name}", value.detach()[None])
        for name, values in (("evidence", terms.evidence), ("weight", terms.weight)):
            if values is not None:
                self.add_split(name, values.detach(), rows)
        if terms.weight is not None:
            self.add_split("set_aside", (terms.weight.detach() == 0).double(), rows)

    def add_split(self, name: str, values: Tensor, rows: Tensor) -> None:
        """Values of pairs ``[B]``, apart for clean and poisoned ones where that is known."""
        if self._poisoned is None:
            self.add(name, values)
            return
        poisoned = self._poisoned[rows.cpu()].to(values.device)
        self.add(f"{name}/clean", values.masked_fill(poisoned, torch.nan))
        self.add(f"{name}/poison", values.masked_fill(~poisoned, torch.nan))

    def add_plan(self, plan: EpochPlan) -> None:
        """What a plan does, at its epoch's first line of the log."""
        self._facts.update(plan_figures(plan, self._poisoned))

    def note(self, name: str, value: float) -> None:
        """A fact, for the next line of the log only."""
        self._facts[name] = value

    def add(self, name: str, values: Tensor) -> None:
        """Values to average; NaN ones do not count."""
        valid = ~values.isnan()
        total, count = values.double().nan_to_num(0.0).sum(), valid.sum().double()
        self._sums[name] = self._sums.get(name, 0) + total
        self._counts[name] = self._counts.get(name, 0) + count

    def read(self) -> Mapping[str, float]:
        """Means over all processes since the last reading; names without values are left out."""
        facts, self._facts = self._facts, {}
        names = sorted(self._sums)
        if not names:
            return facts
        table = torch.stack([torch.stack([self._sums[name], self._counts[name]]) for name in names])
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(table)
        self._sums, self._counts = {}, {}
        means = {
            name: total / count
            for name, (total, count) in zip(names, table.tolist(), strict=True)
            if count
        }
        return facts | means
