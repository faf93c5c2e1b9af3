"""The log of a run: JSON Lines, TensorBoard, and a progress bar."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter
from transformers import TrainerCallback, TrainerState, TrainingArguments

from shieldclip.drafts import write_text
from shieldclip.training.engine.clock import processor_seconds

LOG_FILE = "log.jsonl"


class RunLog:
    """Lines of the log, each also an event of TensorBoard."""

    def __init__(self, folder: Path, step: int = 0) -> None:
        """Open the log; lines after ``step``, from which the run goes on, are dropped.

        Args:
            folder: of the run.
            step: optimiser steps done.
        """
        self._path = folder / LOG_FILE
        self.lines = [line for line in read_log(folder) if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        write_text(self._path, text)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
        last = self.lines[-1] if self.lines else {}
        self._began = time.perf_counter() - last.get("seconds", 0.0)
        self._busy = processor_seconds() - last.get("processor_seconds", 0.0)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One more line."""
        took = time.perf_counter() - self._began
        busy = processor_seconds() - self._busy
        times = {"seconds": round(took, 2), "processor_seconds": round(busy, 2)}
        line = {"step": step, **times, **values}
        self.lines.append(line)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()

    def close(self) -> None:
        """Write out the last events."""
        self._board.close()


def read_log(folder: Path) -> list[dict[str, float]]:
    """Lines of a run's log; a last one that was cut off by a kill is left out."""
    path = folder / LOG_FILE
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


class Watch(TrainerCallback):
    """Progress bar and log lines of training, on the first process."""

    def __init__(self, log: RunLog, pairs_per_step: int, title: str) -> None:
        self.log, self.pairs_per_step = log, pairs_per_step
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self.progress.add_task(title, total=None, note="")
        self._since, self._step = time.perf_counter(), 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No bar and no clock inside: something else is at work."""
        self.progress.stop()
        began = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - began
            self.progress.start()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, _control: Any, **_: Any
    ) -> None:
        """Show the bar."""
        self._since, self._step = time.perf_counter(), state.global_step
        self.progress.update(self._task, total=args.max_steps, completed=state.global_step)
        self.progress.start()

    def on_step_end(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Move the bar."""
        self.progress.update(self._task, completed=state.global_step)

    def on_log(
        self,
        _args: Any,
        state: TrainerState,
        _control: Any,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Write a line."""
        values = dict(logs or {})
        if "loss" not in values or state.global_step == self._step:
            return
        now = time.perf_counter()
        rate = (state.global_step - self._step) * self.pairs_per_step / (now - self._since)
        self._since, self._step = now, state.global_step
        values["images_per_second"] = round(rate, 2)
        self.log.write(state.global_step, values)
        terms = [f"{name.removeprefix('loss/')} {value:.3f}" for name, value in values.items()
                 if name == "loss" or name.startswith("loss/")]  # fmt: skip
        note = f"{', '.join(terms)}, {rate:.0f} images/s"
        self.progress.update(self._task, note=note)

    def on_train_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Take the bar away."""
        self.progress.stop()
