"""Retrieval: R@k both ways, and attacks on it.

- Utility: each picture among all captions (``i2t``) and each caption among all pictures (``t2i``).
- A *trigger on pictures*: triggered pictures that are not of the target query all captions, and
  should not find those of the target; the controls are the same pictures without trigger and with
  an untrained one.
- A *poisoned pair* A -> B (single target label): captions of A query all pictures, and should not
  find those of B (Yang et al. 2023; Semantic Shield).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.metrics.intervals import wilson
from shieldclip.evaluation.metrics.retrieval import best_ranks
from shieldclip.evaluation.naming import captions_of, pictures_of
from shieldclip.evaluation.passes import CLEAN, Attack, ImageTrigger, pass_key
from shieldclip.evaluation.protocols.base import Finding, Observation, Rows, Seen
from shieldclip.evaluation.protocols.hits import LEVELS, Controls, hit_rows, target_ranks
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.store import Arrays


@dataclass(frozen=True)
class Retrieval:
    """Pictures against captions."""

    attacks: tuple[Attack, ...]
    target: str
    """What the triggers aim at: a class, or a word of the captions; ``""`` without attacks."""
    pairs: tuple[tuple[str, str], ...]
    seed: int

    def observations(self) -> dict[str, Observation]:
        """Ranks on the clean pass and on that of every trigger and every control."""
        triggers = [trigger for a in self.attacks for trigger in (a.trigger, a.control)]
        observed = {pass_key(t): partial(self._observe_trigger, trigger=t) for t in triggers}
        return {CLEAN: self._observe_clean, **observed}

    def question(self) -> dict[str, object]:
        """Target and pairs; the captions are part of the data."""
        return {"target": self.target, "pairs": self.pairs}

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """R@k of the clean pass, Hit@k and ranks of every attack."""
        rows = Rows(bank.encoder.name, bank.source.name)
        clean = seen[CLEAN]
        measurements = list(_recalls(rows, clean))
        for index, (victim, target) in enumerate(self.pairs):
            named = Rows(rows.model, rows.data, target=f"{victim} -> {target}")
            cell = {name: clean[f"pair{index}.{name}"] for name in ("ranks", "sizes")}
            measurements += hit_rows(named, cell, None, self.seed)
        for attack in self.attacks:
            named = Rows(rows.model, rows.data, attack.name, self.target)
            controls = Controls(clean, seen[pass_key(attack.control)])
            cell = seen[pass_key(attack.trigger)]
            measurements += hit_rows(named, cell, controls, self.seed)
        return Finding(measurements)

    def _observe_clean(self, bank: FeatureBank) -> Arrays:
        """``i2t`` and ``t2i`` ranks, those of each pair and, as control, those of the target."""
        texts, owners = caption_gallery(bank)
        captions = bank.kept_texts(texts)
        cell = _utility(bank.clean, captions, owners) | self._pairs(bank, captions)
        return cell | (self._target(bank, bank.clean) if self.attacks else {})

    def _observe_trigger(self, bank: FeatureBank, trigger: ImageTrigger) -> Arrays:
        return self._target(bank, bank.triggered(trigger))

    def _target(self, bank: FeatureBank, pictures: Tensor) -> Arrays:
        innocent = ~pictures_of(bank.source, self.target)[bank.rows]
        captions = bank.kept_texts(caption_gallery(bank)[0])
        return target_ranks(pictures[innocent], captions, caption_flags(bank, self.target))

    def _pairs(self, bank: FeatureBank, captions: Tensor) -> Arrays:
        cells: Arrays = {}
        for index, (victim, target) in enumerate(self.pairs):
            queries = captions[caption_flags(bank, victim) & ~caption_flags(bank, target)]
            relevant = pictures_of(bank.source, target)[bank.rows]
            for name, array in target_ranks(queries, bank.clean, relevant).items():
                cells[f"pair{index}.{name}"] = array
        return cells


def caption_gallery(bank: FeatureBank) -> tuple[list[str], Tensor]:
    """Captions of the readable pictures, and each one's place among those pictures ``[M]``."""
    captions = bank.source.captions
    pairs = [
        (text, place) for place, row in enumerate(bank.rows.tolist()) for text in captions[row]
    ]
    return [text for text, _ in pairs], torch.tensor([place for _, place in pairs])


def caption_flags(bank: FeatureBank, name: str) -> Tensor:
    """``[M]`` bool: which captions of the gallery are of ``name``."""
    flags = captions_of(bank.source, name)
    return torch.cat([flags[row] for row in bank.rows.tolist()])


def _utility(pictures: Tensor, captions: Tensor, owners: Tensor) -> Arrays:
    places = torch.arange(len(pictures))
    described = torch.unique(owners)  # a picture without caption cannot be a query
    return {
        "i2t": best_ranks(pictures[described], captions, described, owners),
        "t2i": best_ranks(captions, pictures, owners, places),
    }


def _recalls(rows: Rows, cell: Arrays) -> Iterator[Measurement]:
    for way in ("i2t", "t2i"):
        for k in LEVELS:
            yield rows.row(f"r@{k}_{way}", wilson(int((cell[way] <= k).sum()), len(cell[way])))
