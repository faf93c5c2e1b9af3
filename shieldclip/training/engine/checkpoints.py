"""The folders ``last``, ``best`` and ``early`` of a run, and the evaluation that picks the best."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed as dist
from transformers import TrainerCallback, TrainerState

from shieldclip.drafts import drafted
from shieldclip.errors import unknown_name
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.engine.ema import WeightAverage
from shieldclip.training.engine.logs import Watch
from shieldclip.training.model_setup import export

Evaluate = Callable[[Path], Mapping[str, float]]
"""A model folder -> metrics."""
LAST, BEST, EARLY = "last", "best", "early"


@dataclass
class Checkpoints(TrainerCallback):
    """Exports the model at given steps, measures it there, and keeps the best."""

    folder: Path
    """Of the run."""
    model: ShieldCLIPModel
    processor: ShieldCLIPProcessor
    average: WeightAverage | None
    steps: frozenset[int]
    early: int | None
    """Step after which the model is also kept for good, as it then is."""
    metric: str
    """Whose largest value is best."""
    evaluate: Evaluate | None
    watch: Watch | None
    """On the first process only, which alone exports and measures."""

    def on_step_end(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Export and measure, if it is time."""
        step = state.global_step
        if step not in self.steps and step != self.early:
            return
        if self.watch is not None:
            with self.watch.paused():
                if step == self.early:
                    self._export(EARLY)
                if step in self.steps:
                    self._export(LAST)
                    self._measure(step, self.watch)
        if dist.is_available() and dist.is_initialized():
            dist.barrier()

    def _export(self, name: str) -> None:
        with self.average.applied_to(self.model) if self.average else nullcontext():
            export(self.model, self.processor, self.folder / name)

    def _measure(self, step: int, watch: Watch) -> None:
        if self.evaluate is None:
            return
        metrics = self.evaluate(self.folder / LAST)
        if self.metric not in metrics:
            raise unknown_name("metric of evaluation.best", self.metric, metrics)
        key = f"eval/{self.metric}"
        before = [line[key] for line in watch.log.lines if key in line]
        watch.log.write(step, {f"eval/{name}": value for name, value in metrics.items()})
        if not before or metrics[self.metric] > max(before):
            with drafted(self.folder / BEST) as draft:
                shutil.copytree(self.folder / LAST, draft)
