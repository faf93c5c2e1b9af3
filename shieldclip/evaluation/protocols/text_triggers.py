"""Triggers in texts: does a word in a query bring up the pictures of the target?

Queries are either the captions that are not of the target, or the prompt ensembles of all other
classes; the gallery are all clean pictures; the controls are the same queries without a trigger
and with an untrained one. This costs texts only, no pass over pictures beyond the clean one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Literal

from torch import Tensor

from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.naming import class_index, pictures_of
from shieldclip.evaluation.passes import CLEAN, TextTrigger, pass_key
from shieldclip.evaluation.prompts import class_prompts
from shieldclip.evaluation.protocols.base import Finding, Observation, Rows, Seen
from shieldclip.evaluation.protocols.hits import Controls, hit_rows, target_ranks
from shieldclip.evaluation.protocols.retrieval import caption_flags, caption_gallery
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.store import Arrays

Edit = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class TextTriggers:
    """Triggered queries for the pictures of a target."""

    queries: Literal["captions", "prompts"]
    triggers: tuple[TextTrigger, ...]
    target: str
    templates: tuple[str, ...]
    seed: int

    def observations(self) -> dict[str, Observation]:
        """Ranks of the queries as they are, with every trigger and with every control."""
        triggers = [*self.triggers, *(trigger.control() for trigger in self.triggers)]
        edits = {pass_key(edit): partial(self._observe, edit=edit) for edit in triggers}
        return {CLEAN: partial(self._observe, edit=list), **edits}

    def question(self) -> dict[str, object]:
        """Queries and target; captions and classes are part of the data."""
        return {"queries": self.queries, "target": self.target, "templates": self.templates}

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """Hit@k and ranks of every trigger."""
        measurements: list[Measurement] = []
        for trigger in self.triggers:
            data = f"{bank.source.name} ({self.queries})"
            rows = Rows(bank.encoder.name, data, trigger.id, self.target)
            controls = Controls(seen[CLEAN], seen[pass_key(trigger.control())])
            measurements += hit_rows(rows, seen[pass_key(trigger)], controls, self.seed)
        return Finding(measurements)

    def _observe(self, bank: FeatureBank, edit: Edit) -> Arrays:
        """Rank of the best target picture for each query ``ranks`` [q]."""
        encode = {"captions": self._captions, "prompts": self._prompts}[self.queries]
        pictures = pictures_of(bank.source, self.target)[bank.rows]
        return target_ranks(encode(bank, edit), bank.clean, pictures)

    def _captions(self, bank: FeatureBank, edit: Edit) -> Tensor:
        texts, _ = caption_gallery(bank)
        innocent = (~caption_flags(bank, self.target)).tolist()
        return bank.texts(edit(list(compress(texts, innocent))))

    def _prompts(self, bank: FeatureBank, edit: Edit) -> Tensor:
        target = class_index(bank.source.classes, self.target)
        others = [name for index, name in enumerate(bank.source.classes) if index != target]
        prompts = class_prompts(others, self.templates)
        return bank.ensemble([edit(of_class) for of_class in prompts])
