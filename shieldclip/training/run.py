"""`train`: a recipe in, a run folder out."""

from __future__ import annotations

import math
from pathlib import Path

import torch.distributed as dist
from transformers import TrainingArguments
from transformers.utils import logging as transformers_logging

from shieldclip.errors import ShieldCLIPError
from shieldclip.training.engine.arguments import training_arguments, use_one_gpu
from shieldclip.training.engine.callbacks import (
    AfterStep,
    Milestones,
    PaceEpochs,
    PlanEpochs,
    milestones,
)
from shieldclip.training.engine.checkpoints import Checkpoints, Evaluate
from shieldclip.training.engine.ema import WeightAverage
from shieldclip.training.engine.frozen_start import FrozenStart
from shieldclip.training.engine.logs import RunLog, Watch
from shieldclip.training.engine.meters import Meters
from shieldclip.training.engine.trainer import Part, ShieldTrainer
from shieldclip.training.engine.trigger_patches import TriggerPatches
from shieldclip.training.learner import Learner, Material, make_learner
from shieldclip.training.length import Length
from shieldclip.training.model_setup import patch_count
from shieldclip.training.pairs.batches import PairDataset, Preparation, SecondViews
from shieldclip.training.pairs.feed import (
    Feed,
    Place,
    feed_from_memory,
    feed_from_stream,
    stream_captions,
)
from shieldclip.training.pairs.opening import OpenedPairs, open_pairs
from shieldclip.training.pairs.view import ModelView
from shieldclip.training.recipe.schema import Recipe
from shieldclip.training.run_folder import keep_recipe, latest_checkpoint, resumed_step


def train(recipe: Recipe, out: Path, evaluate: Evaluate | None = None) -> None:
    """Train, or go on with an interrupted run in the same folder.

    Args:
        recipe: what to do.
        out: run folder; see `docs/training.md` for what is in it.
        evaluate: measures a model folder while training.

    Raises:
        ShieldCLIPError: anything wrong with the recipe or its data, or a folder of another run.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    args = training_arguments(recipe, out)
    place = _place(args, recipe)
    if place.rank == 0:
        keep_recipe(recipe, out)
    with args.main_process_first(desc="data"):
        opened = None if recipe.data.streaming else open_pairs(recipe.data, recipe.model.image_size)
    if opened and opened.manifest and opened.poison and place.rank == 0:
        opened.manifest.save(out / "manifest.jsonl")
    learner = make_learner(recipe, _material(recipe, opened))
    trainer = _trainer(recipe, learner, opened, place, out)
    _add_callbacks(trainer, recipe, out, evaluate)
    checkpoint = latest_checkpoint(out)
    if checkpoint is not None:
        trainer.load_extras(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if dist.is_available() and dist.is_initialized():
        dist.barrier()


def _place(args: TrainingArguments, recipe: Recipe) -> Place:
    if recipe.optimiser.batch_size % args.world_size:
        raise ShieldCLIPError(
            f"Expected a batch_size that {args.world_size} processes can share, got "
            f"{recipe.optimiser.batch_size}; choose a multiple."
        )
    return Place(args.process_index, args.world_size)


def _material(recipe: Recipe, opened: OpenedPairs | None) -> Material:
    return Material(lambda: stream_captions(recipe) if opened is None else opened.captions)


def _trainer(
    recipe: Recipe, learner: Learner, opened: OpenedPairs | None, place: Place, out: Path
) -> ShieldTrainer:
    model = learner.model
    size = model.config.vision_config.image_size
    share, data = learner.defence.second_views, recipe.data
    preparation = Preparation(
        learner.processor,
        data.augmentation,
        recipe.seed,
        learner.elements,
        SecondViews(share, data.second_view) if share else None,
        data.vary_captions,
    )
    if opened is None:
        feed = feed_from_stream(recipe, preparation, size, place)
    else:
        feed = feed_from_memory(recipe, opened, preparation, size, place)
    args = training_arguments(recipe, out, Length.of(recipe, feed.pairs).steps)
    use_one_gpu(args)
    model.to(args.device)  # before the moving average copies its weights
    trainer = ShieldTrainer(
        model,
        args,
        feed,
        learner.defence,
        Part(patch_count(model), recipe.model, recipe.seed),
        Meters(feed.poisoned),
        WeightAverage(model, recipe.optimiser.ema) if recipe.optimiser.ema else None,
        learner.processor,
        _trigger(recipe, opened, patch_count(model)),
        FrozenStart(model) if learner.defence.needs_start else None,
    )
    _add_plan(trainer, feed, learner)
    return trainer


def _trigger(recipe: Recipe, opened: OpenedPairs | None, patches: int) -> TriggerPatches | None:
    """Where the trigger is, if pictures were stamped here and stay as they are."""
    if opened is None or opened.poison is None or recipe.data.augmentation.moves:
        return None
    trigger = opened.poison.image_trigger
    if trigger is None:
        return None
    return TriggerPatches(trigger, opened.poison.image_size, math.isqrt(patches))


def _add_plan(trainer: ShieldTrainer, feed: Feed, learner: Learner) -> None:
    if feed.batches is not None:
        pairs = feed.loader.dataset
        assert isinstance(pairs, PairDataset)
        elements = pairs.preparation.elements
        view = ModelView(learner.model, learner.processor, pairs.pixels, pairs.captions, elements)
        describe = trainer.meters.add_plan
        trainer.add_callback(PlanEpochs(feed.batches, learner.defence, view, describe))


def _early(recipe: Recipe, steps: int) -> int | None:
    """The step after which the early model is kept."""
    share = recipe.log.early
    return None if share is None else max(round(steps * share), 1)


def _add_callbacks(
    trainer: ShieldTrainer, recipe: Recipe, out: Path, evaluate: Evaluate | None
) -> None:
    """The log comes first: it also counts the time that the others take."""
    steps, evaluation = trainer.args.max_steps, recipe.evaluation
    watch = None
    if trainer.args.process_index == 0:
        pairs = recipe.optimiser.batch_size * recipe.optimiser.accumulation
        watch = Watch(RunLog(out, resumed_step(out)), pairs, out.name)
        trainer.add_callback(watch)
    trainer.add_callback(PaceEpochs(trainer.defence))
    trainer.add_callback(AfterStep(trainer.model, trainer.average))
    stops = milestones(steps, evaluation.every)
    trainer.add_callback(
        Checkpoints(
            out,
            trainer.model,
            trainer.processor,
            trainer.average,
            stops,
            _early(recipe, steps),
            evaluation.best,
            evaluate,
            watch,
        )
    )
    trainer.add_callback(Milestones(milestones(steps, recipe.log.save_every)))
