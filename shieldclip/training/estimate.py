"""What a run would take: parameters, steps, memory and time, from two real steps on noise."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
import yaml
from torch import Tensor

from shieldclip.knowledge import Knowledge, SentenceVectors, load_knowledge, sentence_width
from shieldclip.knowledge.knowledge import knowledge_file
from shieldclip.modeling import ShieldCLIPModel
from shieldclip.training.defences import Defence, Moment
from shieldclip.training.engine.callbacks import milestones
from shieldclip.training.engine.frozen_start import FrozenStart
from shieldclip.training.engine.trainer import MODEL_INPUTS, Part
from shieldclip.training.learner import (
    Captions,
    Learner,
    Material,
    make_learner,
    trains_tokenizer,
)
from shieldclip.training.length import Length
from shieldclip.training.model_setup import patch_count, rest_frozen
from shieldclip.training.pairs.batches import encode_elements
from shieldclip.training.pairs.feed import stream_captions
from shieldclip.training.pairs.opening import planned_captions
from shieldclip.training.recipe.resolved import resolved
from shieldclip.training.recipe.schema import Recipe

_PROBE = 16  # pairs; a whole batch of a large recipe would take minutes on a CPU
_TRAINING_BYTES = 16  # per parameter: weight, gradient and two moments, in float32
_WORDS = 12  # of a caption of noise


@dataclass(frozen=True)
class Estimate:
    """What a run would take on this machine, on one process."""

    parameters: int
    trained: int
    pairs: int | None
    """None where only reading a stream would tell."""
    length: Length
    memory: float
    """Bytes of weights, optimiser and activations that are kept; those that a checkpointed block
    computes again come on top."""
    seconds_per_step: float
    device: str
    probe: int
    """Pairs of the step that was timed."""
    unread: tuple[str, ...]
    """What training reads, and what was not at hand here."""

    def lines(self, recipe: Recipe) -> list[str]:
        """The estimate as text."""
        hours = self.seconds_per_step * self.length.steps / 3600
        evaluations = len(milestones(self.length.steps, recipe.evaluation.every))
        return [
            f"parameters:  {self.parameters:,}, {self.trained:,} of them trained",
            f"pairs:       {'unknown' if self.pairs is None else f'{self.pairs:,}'}",
            f"steps:       {self.length.steps:,} of {recipe.optimiser.batch_size} pairs x "
            f"{recipe.optimiser.accumulation}; {self.length.batches_per_epoch:,} batches an epoch",
            f"evaluations: {evaluations if recipe.evaluation.suite else 0}",
            f"memory:      {self.memory / 1e9:.2f} GB for weights, optimiser and activations",
            f"time:        {hours:.2f} h on {self.device}, one process"
            f" ({self.seconds_per_step:.2f} s a step, from steps of {self.probe} pairs)",
            *(f"not read:    {what}" for what in self.unread),
        ]


def estimate(recipe: Recipe) -> Estimate:
    """Build the model, take three small steps on noise, and scale up.

    The last two are timed. Pairs are counted by opening the data, unless ``data.pairs`` says how
    many there are: then neither data nor a knowledge file need be there.

    Raises:
        ShieldCLIPError: what training would refuse at its start.
    """
    pairs, captions = _pairs(recipe)
    length = Length.of(recipe, pairs)
    knowledge = _knowledge_at_hand if recipe.data.pairs else load_knowledge
    learner = make_learner(recipe, Material(captions, knowledge, _vectors_of_noise))
    model, defence = learner.model, learner.defence
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    rest_frozen(model, recipe.model)
    probe = min(_PROBE, recipe.optimiser.batch_size)
    batch = _noise(learner, recipe, probe)
    step = _Step(model, defence, batch, recipe, device)
    step.take()
    seconds = min(step.take() for _ in range(2))
    scale = recipe.optimiser.batch_size / probe
    weights = sum(p.numel() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    copies = 1 + (recipe.optimiser.ema is not None) + defence.needs_start
    held = 4 * weights * copies + (_TRAINING_BYTES - 4) * trained
    return Estimate(
        parameters=weights,
        trained=trained,
        pairs=pairs,
        length=length,
        memory=held + step.activations * scale,
        seconds_per_step=seconds * scale * recipe.optimiser.accumulation,
        device=str(device),
        probe=probe,
        unread=_unread(recipe, learner),
    )


def describe(recipe: Recipe) -> str:
    """The resolved recipe, and under it the estimate as comments."""
    record = resolved(recipe).model_dump(mode="json")
    text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True)
    return text + "".join(f"# {line}\n" for line in estimate(recipe).lines(recipe))


def _pairs(recipe: Recipe) -> tuple[int | None, Captions]:
    """How many there are, and their captions as far as they are at hand."""
    if recipe.data.pairs:
        return recipe.data.pairs, lambda: []
    if recipe.data.streaming:
        return None, lambda: stream_captions(recipe)
    captions = planned_captions(recipe.data, recipe.model.image_size)
    return len(captions), lambda: captions


def _knowledge_at_hand(source: str) -> Knowledge:
    """What can be opened; a file may come with data that are elsewhere."""
    return load_knowledge(source) if knowledge_file(source).exists() else Knowledge({})


def _vectors_of_noise(encoder: str, _phrases: Collection[str]) -> SentenceVectors:
    """As wide as those of the encoder, which is not run."""
    return SentenceVectors({}, torch.randn(1, sentence_width(encoder)))


def _unread(recipe: Recipe, learner: Learner) -> tuple[str, ...]:
    if not recipe.data.pairs:
        return ()
    source = recipe.knowledge.source
    captions = "captions, so the vocabulary trained on them is not counted"
    knowledge = f"{source}, which is not there; training needs it"
    return (
        *([captions] if trains_tokenizer(recipe) else []),
        *([knowledge] if learner.elements and not knowledge_file(source).exists() else []),
    )


class _Step:
    """One training step on the same noise, again and again."""

    def __init__(
        self,
        model: ShieldCLIPModel,
        defence: Defence,
        batch: dict[str, Tensor],
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        self.model, self.defence, self.device = model, defence, device
        self.batch = {name: value.to(device) for name, value in batch.items()}
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, lr=0.0)
        self.half = recipe.optimiser.precision == "bf16"
        self.start = FrozenStart(model) if defence.needs_start else None
        self.activations = 0

    def take(self) -> float:
        """Seconds; on the way counts the bytes that the backward pass needs."""
        self.activations = 0
        began = time.perf_counter()
        with (
            torch.autograd.graph.saved_tensors_hooks(self._count, lambda kept: kept),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.half),
        ):
            inputs = {name: self.batch[name] for name in MODEL_INPUTS if name in self.batch}
            output = self.model(**inputs)
            start = {} if self.start is None else self.start.embed(inputs)
            loss = self.defence.losses(output, self.batch | start, Moment(0, 0, 0.5)).total()
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    def _count(self, kept: Any) -> Any:
        if isinstance(kept, Tensor) and not isinstance(kept, torch.nn.Parameter):
            self.activations += kept.numel() * kept.element_size()
        return kept


def _noise(learner: Learner, recipe: Recipe, pairs: int) -> dict[str, Tensor]:
    """A batch of the shapes of training."""
    model, defence = learner.model, learner.defence
    text, size = model.config.text_config, model.config.vision_config.image_size
    words = min(_WORDS, text.max_position_embeddings - 2)
    again = torch.arange(round(defence.second_views * pairs))
    seen = pairs + len(again)
    ids = torch.randint(text.vocab_size - 2, (seen, words + 2))
    ids[:, 0], ids[:, -1] = text.bos_token_id, text.eos_token_id
    batch = {
        "row": torch.arange(pairs),
        "picture": torch.arange(pairs),
        "again": again,
        "pixel_values": torch.randn(seen, 3, size, size),
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
    }
    part = Part(patch_count(model), recipe.model, recipe.seed)
    patch_index = part.index(torch.arange(seen), 0.0)
    if patch_index is not None:
        batch["patch_index"] = patch_index
    if learner.elements is not None:
        most = learner.elements.most
        phrases = [[f"part {pair * most + m}" for m in range(most)] for pair in range(pairs)]
        batch |= encode_elements(phrases, learner.processor, learner.elements.vectors)
    return batch
