"""What a protocol is, and how it writes its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as TypingProtocol

from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.metrics.intervals import Estimate
from shieldclip.evaluation.report import Example, Measurement
from shieldclip.evaluation.store import Arrays

Observation = Callable[[FeatureBank], Arrays]
"""What a protocol notes of one pass."""

Seen = Mapping[str, Arrays]
"""What was noted, by `passes.pass_key`."""


@dataclass(frozen=True)
class Finding:
    """What a protocol says of one model on one data set."""

    measurements: Sequence[Measurement]
    examples: Sequence[Example] = ()


class Protocol(TypingProtocol):
    """A way to question a model.

    An observation needs the model and leaves a small record of one pass, the cell that a resumed
    run finds again. `measure` is arithmetic on the records of all passes.
    """

    def observations(self) -> Mapping[str, Observation]:
        """What to note on each pass it needs, by `passes.pass_key`."""
        ...

    def question(self) -> dict[str, object]:
        """Plain values that observations depend on, besides model, data and trigger."""
        ...

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """The figures."""
        ...


@dataclass(frozen=True)
class Rows:
    """Writes measurements of one model on one data set under one attack."""

    model: str
    data: str
    trigger: str | None = None
    target: str | None = None

    def row(self, metric: str, estimate: Estimate) -> Measurement:
        """One measurement."""
        return Measurement(
            model=self.model,
            metric=metric,
            value=estimate.value,
            n=estimate.n,
            low=estimate.low,
            high=estimate.high,
            trigger=self.trigger,
            target=self.target,
            data=self.data,
        )
