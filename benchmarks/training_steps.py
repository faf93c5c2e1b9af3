"""Whole training steps, and parts of them, for `train_step.py`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.modeling import ShieldCLIPModel
from shieldclip.modeling.output import ShieldCLIPOutput
from shieldclip.training.defences import Batch, Defence, Moment
from shieldclip.training.defences.bank import Bank
from shieldclip.training.engine.frozen_start import FrozenStart
from shieldclip.training.engine.trainer import MODEL_INPUTS
from shieldclip.training.losses import ContrastiveLoss
from shieldclip.training.model_setup import freeze
from shieldclip.training.recipe.schema import ModelSpec

LATE = Moment(step=1000, epoch=9, progress=0.5)
"""When losses are taken: after every warm-up, before all patches are seen, and where there are
epochs that match pairs, in one of these."""

Work = Callable[[], object]


def clip_embeddings(model: ShieldCLIPModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Images and captions ``[B, D]`` as CLIP embeds them, with the patches of the batch."""
    vision = model.vision_model
    hidden = vision.embeddings(batch["pixel_values"])  # [B, 1 + P, W]
    if "patch_index" in batch:
        chosen = hidden[:, 1:].take_along_dim(batch["patch_index"][..., None], dim=1)
        hidden = torch.cat([hidden[:, :1], chosen], dim=1)
    hidden = vision.pre_layrnorm(hidden)
    for layer in vision.encoder.layers:
        hidden = layer(hidden, None)
    images = model.visual_projection(vision.post_layernorm(hidden[:, 0]))
    text = model.get_text_features(batch["input_ids"], batch["attention_mask"])
    return normalize(images, dim=-1), normalize(text.pooler_output, dim=-1)


def clip_loss(model: ShieldCLIPModel, batch: Batch) -> Tensor:
    loss: Tensor = ContrastiveLoss()(*clip_embeddings(model, batch), model.logit_scale.exp())
    return loss


def outputs(model: ShieldCLIPModel, batch: Batch) -> ShieldCLIPOutput:
    output: ShieldCLIPOutput = model(**inputs(batch))
    return output


def inputs(batch: Batch) -> dict[str, Tensor]:
    """What of it the model takes."""
    return {name: batch[name] for name in MODEL_INPUTS if name in batch}


def backward(loss: Tensor) -> None:
    torch.autograd.backward(loss)


def detached(output: ShieldCLIPOutput) -> ShieldCLIPOutput:
    """The same output, cut off from the model; its gradients end there."""
    leaves = {
        name: value.detach().requires_grad_(value.is_floating_point())
        for name, value in output.items()
        if isinstance(value, Tensor)
    }
    return ShieldCLIPOutput(**leaves)


def fill_banks(defence: Defence, width: int) -> None:
    """With noise; in training banks are full but for the first steps."""
    for bank in vars(defence).values():
        if isinstance(bank, Bank):
            bank.push(normalize(torch.randn(bank.size, width), dim=-1))


class Steps:
    """Whole steps and their parts on one model, which stays as it is (learning rate 0)."""

    def __init__(self, model: ShieldCLIPModel) -> None:
        self.model = model
        self.start = FrozenStart(model)
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=0.0)

    def step(self, loss: Callable[[], Tensor]) -> None:
        """Forward to optimiser."""
        backward(loss())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()

    def clip(self, batch: Batch) -> Work:
        """A CLIP step."""
        return lambda: self.step(lambda: clip_loss(self.model, batch))

    def known(self, defence: Defence, batch: Batch) -> Batch:
        """The batch with what the model embedded at its start, if the defence needs it."""
        return {**batch, **self.start.embed(inputs(batch))} if defence.needs_start else batch

    def defended(self, defence: Defence, batch: Batch) -> Work:
        """A defence's step."""

        def loss() -> Tensor:
            output = outputs(self.model, batch)
            return defence.losses(output, self.known(defence, batch), LATE).total()

        def work() -> None:
            freeze(self.model, defence, ModelSpec())
            self.step(loss)

        return work

    def losses(self, defence: Defence, batch: Batch) -> Work:
        """A defence's losses alone."""
        with torch.no_grad():
            output = detached(outputs(self.model, batch))
        known = self.known(defence, batch)
        return lambda: backward(defence.losses(output, known, LATE).total())

    def clip_loss(self, batch: Batch) -> Work:
        """CLIP's loss alone."""
        with torch.no_grad():
            images, texts = clip_embeddings(self.model, batch)
        leaves = images.requires_grad_(), texts.requires_grad_()
        return lambda: backward(ContrastiveLoss()(*leaves, self.model.logit_scale.exp()))

    def elements(self, batch: Batch) -> Work:
        """The text tower on knowledge elements, alone."""

        def work() -> None:
            text = self.model.get_text_features(
                batch["element_input_ids"], batch["element_attention_mask"]
            )
            backward(self.model.knowledge_head(text.pooler_output).sum())
            self.optimiser.zero_grad()

        return work
