"""Zero-shot classification, clean and under triggers: CA@1, CA@5, ASR, RA, controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from shieldclip.evaluation.examples import choose_examples, picture_uri
from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.metrics.classification import (
    count_targets,
    hits_in_top,
    top_classes,
    worst_target,
)
from shieldclip.evaluation.metrics.intervals import CONFIDENCE, bonferroni, wilson
from shieldclip.evaluation.passes import CLEAN, Attack, ImageTrigger, pass_key
from shieldclip.evaluation.prompts import class_prompts
from shieldclip.evaluation.protocols.base import Finding, Observation, Rows, Seen
from shieldclip.evaluation.report import Example, Measurement
from shieldclip.evaluation.store import Arrays

TOP = 5
EXAMPLES = 6


@dataclass(frozen=True)
class ZeroShot:
    """Classes against the template ensemble of their names (threats-and-metrics, section 4)."""

    classes: tuple[str, ...]
    templates: tuple[str, ...]
    attacks: tuple[Attack, ...]
    target: int | None
    """Class index, or ``None`` to try every class and report the worst."""

    def observations(self) -> dict[str, Observation]:
        """Classes on the clean pass, on that of every trigger and of every control."""
        triggers: dict[str, Observation] = {
            pass_key(attack.trigger): partial(self._observe_trigger, trigger=attack.trigger)
            for attack in self.attacks
        }
        controls: dict[str, Observation] = {
            pass_key(attack.control): partial(self._observe_control, trigger=attack.control)
            for attack in self.attacks
        }
        # A control that is another attack's trigger is observed as that.
        return {CLEAN: self._observe_clean, **controls, **triggers}

    def question(self) -> dict[str, object]:
        """The classes and their prompts; the target only matters to the arithmetic."""
        return {"classes": list(self.classes), "templates": list(self.templates)}

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """CA, and for each attack ASR and RA with their controls."""
        rows = Rows(bank.encoder.name, bank.source.name)
        clean = seen[CLEAN]["top"]
        measurements = list(self._accuracy(rows, clean, bank.labels))
        examples: list[Example] = []
        for attack in self.attacks:
            found, target = self._attack(rows, attack, bank.labels, seen)
            measurements += found
            cell = seen[pass_key(attack.trigger)]
            examples += self._examples(bank, attack.name, target, clean, cell)
        return Finding(measurements, examples)

    def _observe_clean(self, bank: FeatureBank) -> Arrays:
        return {"top": self._top(bank, bank.clean)}

    def _observe_control(self, bank: FeatureBank, trigger: ImageTrigger) -> Arrays:
        return {"top": self._top(bank, bank.triggered(trigger))}

    def _observe_trigger(self, bank: FeatureBank, trigger: ImageTrigger) -> Arrays:
        """Classes, and a few pictures to look at."""
        top = self._top(bank, bank.triggered(trigger))
        # One more than needed, because the target's own class drops out.
        places = choose_examples(bank.labels, EXAMPLES + 1)
        clean, triggered = bank.pictures(places, trigger)
        return {"top": top, "places": places, "clean": clean, "triggered": triggered}

    def _top(self, bank: FeatureBank, pictures: Tensor) -> Tensor:
        """Best classes of each picture ``[n, K]``."""
        classes = bank.ensemble(class_prompts(self.classes, self.templates))
        return top_classes(pictures, classes, TOP)

    def _accuracy(self, rows: Rows, top: Tensor, labels: Tensor) -> Iterator[Measurement]:
        for k in (1, 5):
            if k <= len(self.classes):
                yield rows.row(f"ca@{k}", wilson(hits_in_top(top, labels, k), len(labels)))

    def _attack(
        self, rows: Rows, attack: Attack, labels: Tensor, seen: Seen
    ) -> tuple[list[Measurement], int]:
        """The rows of one attack, and the class it was judged by."""
        clean, attacked, control = (
            count_targets(seen[key]["top"][:, 0], labels, len(self.classes))
            for key in (CLEAN, pass_key(attack.trigger), pass_key(attack.control))
        )
        target, confidence = self.target, CONFIDENCE
        if target is None:
            target, confidence = worst_target(attacked, clean), bonferroni(len(self.classes))
        rows = Rows(rows.model, rows.data, attack.name, self.classes[target])
        n = int(attacked.pictures[target])
        figures = {
            "asr": attacked.as_target,
            "control": clean.as_target,
            "control_trigger": control.as_target,
            "ra": attacked.as_label,
            "ra_control_trigger": control.as_label,
        }
        return [
            rows.row(metric, wilson(int(hits[target]), n, confidence))
            for metric, hits in figures.items()
        ], target

    def _examples(
        self, bank: FeatureBank, trigger: str, target: int, clean: Tensor, cell: Arrays
    ) -> Iterator[Example]:
        labels = bank.labels[cell["places"]]
        for index in (labels != target).nonzero().flatten()[:EXAMPLES].tolist():
            place = int(cell["places"][index])
            yield Example(
                model=bank.encoder.name,
                trigger=trigger,
                target=self.classes[target],
                label=self.classes[int(labels[index])],
                before=self.classes[int(clean[place, 0])],
                after=self.classes[int(cell["top"][place, 0])],
                clean_image=picture_uri(cell["clean"][index]),
                triggered_image=picture_uri(cell["triggered"][index]),
            )
