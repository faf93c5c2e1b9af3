"""`ShieldTrainer`: transformers' `Trainer` around one call of the model and one of the defence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from shieldclip.drafts import remove, swap
from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPOutput, ShieldCLIPProcessor
from shieldclip.training.defences.base import Defence, Moment
from shieldclip.training.engine.ema import WeightAverage
from shieldclip.training.engine.frozen_start import FrozenStart
from shieldclip.training.engine.meters import Meters
from shieldclip.training.engine.patches import draw_patches
from shieldclip.training.engine.trigger_patches import TriggerPatches
from shieldclip.training.model_setup import rest_frozen
from shieldclip.training.pairs.feed import Feed
from shieldclip.training.recipe.schema import ModelSpec

MODEL_INPUTS = (
    "input_ids",
    "attention_mask",
    "pixel_values",
    "element_input_ids",
    "element_attention_mask",
    "element_features",
    "patch_index",
)
_DEFENCE_FILE, _AVERAGE_FILE = "defence.safetensors", "average.safetensors"
_PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Part:
    """Which part of an image a step sees, and until when."""

    patches: int
    """P of the image tower."""
    spec: ModelSpec
    seed: int

    def index(self, visits: Tensor, progress: float) -> Tensor | None:
        """``[B, K]`` patches; none once all are seen."""
        kept = max(round(self.spec.patch_keep * self.patches), 1)
        if kept >= self.patches or progress >= self.spec.all_patches_from:
            return None
        return draw_patches(visits, self.patches, kept, self.seed)


class ShieldTrainer(Trainer):
    """One loop for all defences.

    Data order, captions, augmentation and dropped patches depend on (seed, epoch, row) only, so a
    resumed run repeats what an uninterrupted one does.
    """

    optimizer: torch.optim.Optimizer | None

    def __init__(
        self,
        model: ShieldCLIPModel,
        args: TrainingArguments,
        feed: Feed,
        defence: Defence,
        part: Part,
        meters: Meters,
        average: WeightAverage | None,
        processor: ShieldCLIPProcessor,
        trigger: TriggerPatches | None = None,
        start: FrozenStart | None = None,
    ) -> None:
        """Combine what a run consists of.

        Args:
            model: to train, in place.
            args: of the engine.
            feed: gives this process's batches.
            defence: gives the losses.
            part: patches that are seen.
            meters: collect what is logged.
            average: moving average of the weights, if one is kept.
            processor: exported with the model.
            trigger: where poisoned pictures were stamped, if that is known.
            start: the model before training, where the defence needs it.
        """
        super().__init__(model, args, train_dataset=feed.loader.dataset)
        self.feed, self.defence, self.part = feed, defence, part
        self.meters, self.average, self.processor = meters, average, processor
        self.trigger, self.start = trigger, start
        if feed.skipped:
            meters.note("skipped_pictures", feed.skipped)
        self.loss_is_scaled_for_ga = False
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The loader as it was given: it knows its process's share already."""
        return self.feed.loader

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW; vectors and temperatures are not decayed."""
        if self.optimizer is None:
            trained = [p for p in (model or self.model).parameters() if p.requires_grad]
            groups = [
                {"params": [p for p in trained if p.ndim >= 2]},
                {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
            ]
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            settings["weight_decay"] = self.args.weight_decay
            self.optimizer = kind(groups, **settings)
        return self.optimizer

    @property
    def moment(self) -> Moment:
        """Now."""
        step = self.state.global_step
        return Moment(step, int(self.state.epoch or 0), step / max(self.args.max_steps, 1))

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """One forward pass, then the defence's losses."""
        del return_outputs, num_items_in_batch
        moment = self.moment
        rest_frozen(self.model, self.part.spec)  # the engine has switched to training mode
        batch = dict(inputs)
        visits = batch.pop("visit")
        patch_index = self.part.index(visits, moment.progress)
        if patch_index is not None:
            batch["patch_index"] = patch_index
        seen = {name: batch[name] for name in MODEL_INPUTS if name in batch}
        output = model(**seen)
        if self.start is not None:
            batch |= self.start.embed(seen)
        terms = self.defence.losses(output, batch, moment)
        self.meters.add_terms(terms, batch["row"])
        self._diagnose(output, batch)
        return terms.total()

    def _diagnose(self, output: ShieldCLIPOutput, batch: Mapping[str, Tensor]) -> None:
        """What is logged beyond losses."""
        self.meters.add("bad_pictures", batch["bad"][None].float())
        if self.trigger is not None and self.feed.poisoned is not None:
            assert output.patch_attention is not None
            poisoned = self.feed.poisoned[batch["row"].cpu()].to(batch["row"].device)
            pairs = slice(len(poisoned))  # without second views
            patches = batch.get("patch_index")
            shares = self.trigger.attention(
                output.patch_attention[pairs].detach(),
                batch["row"],
                poisoned,
                None if patches is None else patches[pairs],
            )
            self.meters.add("attention_on_trigger", shares)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Write the state to resume from, and only then let go of the one before."""
        super()._save_checkpoint(model, trial)
        draft = Path(self._get_output_dir(trial)) / f"checkpoint-{self.state.global_step}"
        if self.is_world_process_zero():
            self._save_extras(draft)
        self._wait()
        if self.is_world_process_zero():
            folder = Path(self.args.output_dir)
            swap(draft, folder / draft.name)
            for other in folder.glob("checkpoint-*"):
                if other.name != draft.name:
                    remove(other)
        self._wait()

    def _save_extras(self, folder: Path) -> None:
        save_file(_contiguous(self.defence.state_dict()), folder / _DEFENCE_FILE)
        if self.average is not None:
            save_file(_contiguous(self.average.average), folder / _AVERAGE_FILE)
        if self.feed.batches is not None:
            text = json.dumps(self.feed.batches.state(), ensure_ascii=False)
            (folder / _PLAN_FILE).write_text(text, encoding="utf-8")

    def load_extras(self, folder: Path) -> None:
        """Restore defence, moving average and the epoch's plan from a checkpoint."""
        self.defence.load_state_dict(load_file(folder / _DEFENCE_FILE))
        if self.average is not None:
            self.average.load(load_file(folder / _AVERAGE_FILE))
        if self.feed.batches is not None:
            text = (folder / _PLAN_FILE).read_text(encoding="utf-8")
            self.feed.batches.load_state(json.loads(text))

    def _get_output_dir(self, trial: Any) -> str:
        """Where checkpoints are drafted."""
        del trial
        return str(Path(self.args.output_dir) / ".part")

    @staticmethod
    def _wait() -> None:
        if dist.is_available() and dist.is_initialized():
            dist.barrier()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the means of terms and diagnostics.

        Raises:
            ShieldCLIPError: the loss is no longer a number.
        """
        logs |= self.meters.read()
        if "learning_rate" in logs:
            logs["learning_rate"] *= self.defence.learning_rate(self.moment.epoch)
        loss = logs.get("loss", 0.0)
        if not math.isfinite(loss):
            raise ShieldCLIPError(
                f"Expected a finite loss, got {loss} at step {self.state.global_step}; "
                "lower optimiser.learning_rate or train in fp32."
            )
        super().log(logs, start_time)


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
