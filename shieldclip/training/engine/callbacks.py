"""What happens beside the steps: the epoch's plan, bounded scales, the moving average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from shieldclip.modeling import ShieldCLIPModel
from shieldclip.training.defences.base import Defence, EpochPlan, PairsView
from shieldclip.training.engine.ema import WeightAverage
from shieldclip.training.pairs.visits import EpochBatches


class PlanEpochs(TrainerCallback):
    """Asks the defence what an epoch trains on; a resumed epoch keeps its plan."""

    def __init__(
        self,
        batches: EpochBatches,
        defence: Defence,
        pairs: PairsView,
        describe: Callable[[EpochPlan], None],
    ) -> None:
        self.batches, self.defence, self.pairs = batches, defence, pairs
        self.describe = describe

    def on_epoch_begin(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Before the epoch's first batch is made."""
        epoch = int(state.epoch or 0)
        if self.batches.planned_epoch == epoch:
            return
        self.batches.epoch = self.batches.planned_epoch = epoch
        plan = self.defence.plan(epoch, self.pairs)
        if plan is not None:
            self.batches.plan = plan
            self.describe(plan)


class PaceEpochs(TrainerCallback):
    """Lets the defence slow down an epoch; the schedule sets the rate anew after each step."""

    def __init__(self, defence: Defence) -> None:
        self.defence = defence

    def on_step_begin(
        self,
        _args: Any,
        state: TrainerState,
        _control: Any,
        optimizer: Optimizer | None = None,
        **_: Any,
    ) -> None:
        """Before each optimiser step."""
        assert optimizer is not None
        for group in optimizer.param_groups:
            group["lr"] *= self.defence.learning_rate(int(state.epoch or 0))


class AfterStep(TrainerCallback):
    """Bounds the model's scales and moves the average."""

    def __init__(self, model: ShieldCLIPModel, average: WeightAverage | None) -> None:
        self.model, self.average = model, average

    def on_optimizer_step(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """After each optimiser step."""
        self.model.bound_scales_()
        if self.average is not None:
            self.average.update(self.model)


class Milestones(TrainerCallback):
    """Saves the state to resume from at given steps, and logs the last one."""

    def __init__(self, steps: frozenset[int]) -> None:
        self.steps = steps

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, _control: Any, **_: Any
    ) -> None:
        """Log as often as is asked now; a resumed state remembers what was asked before."""
        state.compute_steps(args, args.max_steps)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Ask for a checkpoint, and for a last line of the log."""
        control.should_save = state.global_step in self.steps
        control.should_log |= state.global_step == args.max_steps


def milestones(steps: int, every: float) -> frozenset[int]:
    """Steps at multiples of a share of the run, and the last one."""
    count = int(1 / every + 1e-9)  # 1 / 0.1 may fall short of 10
    stops = {min(max(round(steps * every * n), 1), steps) for n in range(1, count + 1)}
    return frozenset(stops | {steps})
