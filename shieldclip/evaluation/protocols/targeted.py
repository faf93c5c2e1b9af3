"""Targeted poisoning: share of the poisoned pictures classified as the adversarial class (PSR)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.metrics.classification import hits_in_top, top_classes
from shieldclip.evaluation.metrics.intervals import wilson
from shieldclip.evaluation.passes import CLEAN
from shieldclip.evaluation.prompts import class_prompts
from shieldclip.evaluation.protocols.base import Finding, Observation, Rows, Seen
from shieldclip.evaluation.store import Arrays

LEVELS = {1: "psr", 3: "psr@3", 5: "psr@5"}


@dataclass(frozen=True)
class Targeted:
    """Asks for the class of every poisoned picture of a manifest, once per different picture."""

    classes: tuple[str, ...]
    templates: tuple[str, ...]
    wanted: Mapping[int, int]
    """Row of a poisoned picture -> index of its adversarial class."""

    def observations(self) -> dict[str, Observation]:
        """The clean pass: the pictures are as the manifest's data has them."""
        return {CLEAN: self._observe}

    def question(self) -> dict[str, object]:
        """Prompts and poisons."""
        wanted = sorted(self.wanted.items())
        return {"classes": self.classes, "templates": self.templates, "wanted": wanted}

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """PSR over all adversarial classes together, top-1, 3 and 5."""
        top, wanted = seen[CLEAN]["top"], seen[CLEAN]["wanted"]
        targets = sorted({self.classes[index] for index in wanted.tolist()})
        rows = Rows(bank.encoder.name, bank.source.name, target=", ".join(targets))
        return Finding(
            [
                rows.row(metric, wilson(hits_in_top(top, wanted, k), len(wanted)))
                for k, metric in LEVELS.items()
            ]
        )

    def _observe(self, bank: FeatureBank) -> Arrays:
        """Best classes ``top`` [p, K] of the p poisoned pictures, and the class ``wanted`` [p]."""
        rows = bank.rows.tolist()
        places = torch.tensor([at for at, row in enumerate(rows) if row in self.wanted])
        if not len(places):
            raise ShieldCLIPError(
                f"Expected poisoned pictures in {bank.source.name!r}, but no row of the manifest "
                "is readable there; pass the data set that was written with this manifest."
            )
        classes = bank.ensemble(class_prompts(self.classes, self.templates))
        return {
            "top": top_classes(bank.clean[places], classes, max(LEVELS)),
            "wanted": torch.tensor([self.wanted[rows[place]] for place in places.tolist()]),
        }
