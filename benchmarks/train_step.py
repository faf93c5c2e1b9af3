"""What a training step costs under every defence; CLIP's own step is 1.

    python benchmarks/train_step.py [--model icons|vit-b-32|tiny] [--batch-size 256]
        [--elements 6] [--repeats 9] [--threads 1] [--json] [--quick]

One row a defence, and one table with all image patches, one with half of them dropped:

- `step`: forward pass, losses, backward pass, clipping of gradients and AdamW, over those of CLIP:
  same weights and batch, but fused attention in every layer and no patch or token embeddings.

What a step has more than CLIP's, measured alone, in CLIP steps:

- `elements`: the text tower on the batch's unique knowledge elements, forward and backward.
  At most 0.15 is wanted at batch 256 with 6 elements per caption.
- `losses`: the defence's losses from embeddings, forward and backward.
- `local`: attention of the last layer as a tensor, patch and token embeddings; `plain` has it, too.
- `batch`: looking up and tokenizing elements, making second views; not in `step`, since it can be
  left to workers.
- `plan`: what judging and matching all pairs before an epoch costs, per step of that epoch; not in
  `step`.

At batch 256 at most 1.5 is wanted of `step` for `otcclip`, and 1.7 for `shield`.

Pictures, captions and elements are those of icons and scenes, batches are made as in training, and
`vit-b-32` has the sizes of the recipe `coco-vit-b32`. All that is compared takes turns on one batch
after the other; every figure is the median over these. On a CPU, processor time counts: it hardly
depends on what else the machine does.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Any

import click
import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.knowledge import load_knowledge
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.modeling.output import ShieldCLIPOutput
from shieldclip.training.defences import DEFENCES, Batch, Defence, Moment, make_defence
from shieldclip.training.engine.trainer import MODEL_INPUTS, Part
from shieldclip.training.losses import ContrastiveLoss
from shieldclip.training.model_setup import freeze_unused, patch_count, set_up
from shieldclip.training.pairs.batches import Elements, PairDataset, Preparation, SecondViews
from shieldclip.training.pairs.opening import open_pairs
from shieldclip.training.pairs.pixels import open_pixels
from shieldclip.training.pairs.view import ModelView
from shieldclip.training.pairs.visits import EpochBatches, Visit
from shieldclip.training.recipe.reading import load_recipe
from shieldclip.training.recipe.schema import Augmentation, ModelSpec, Recipe

MODELS = {"icons": "plain", "vit-b-32": "coco-vit-b32", "tiny": "smoke"}
"""Name -> the recipe whose sizes it has."""
SOURCE = "icons-and-scenes?renderings=1&favoured=8&concepts=icons-100&scenes=1000"
KEPT = (1.0, 0.5)
"""Shares of image patches that steps see."""
LATE = Moment(step=1000, epoch=1, progress=0.5)
"""When losses are taken: after every warm-up, before all patches are seen."""

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """What a defence costs, in CLIP steps."""

    step: float
    elements: float
    losses: float
    local: float
    batch: float
    plan: float


@dataclass(frozen=True)
class Table:
    """All defences at one share of image patches."""

    patches: int
    """That a step sees of every image."""
    unique_elements: float
    """U of a batch."""
    clip_seconds: float
    """Of a CLIP step."""
    rows: dict[str, Row]


@dataclass(frozen=True)
class Pairs:
    """Training pairs, and batches of them as tensors."""

    data: PairDataset
    visits: tuple[list[Visit], ...]
    """Of each batch of an epoch."""
    second_view: Augmentation

    def prepared_for(self, defence: Defence) -> PairDataset:
        """The same pairs, as a defence gets them."""
        views, whole = defence.second_views, self.data.preparation
        own = replace(
            whole,
            elements=whole.elements if defence.needs_knowledge else None,
            views=SecondViews(views, self.second_view) if views else None,
        )
        return replace(self.data, preparation=own)


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
    output: ShieldCLIPOutput = model(**{k: batch[k] for k in MODEL_INPUTS if k in batch})
    return output


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


class Steps:
    """Whole steps and their parts on one model, which stays as it is (learning rate 0)."""

    def __init__(self, model: ShieldCLIPModel) -> None:
        self.model = model
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

    def defended(self, defence: Defence, batch: Batch) -> Work:
        """A defence's step."""

        def loss() -> Tensor:
            return defence.losses(outputs(self.model, batch), batch, LATE).total()

        def work() -> None:
            freeze_unused(self.model, defence)
            self.step(loss)

        return work

    def losses(self, defence: Defence, batch: Batch) -> Work:
        """A defence's losses alone."""
        with torch.no_grad():
            output = detached(outputs(self.model, batch))
        return lambda: backward(defence.losses(output, batch, LATE).total())

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


@dataclass(frozen=True)
class Setting:
    """Pairs, and the part of each image that steps see, on a device."""

    pairs: Pairs
    part: Part
    device: torch.device

    def batch(self, defence: Defence, visits: list[Visit]) -> dict[str, Tensor]:
        """As in training."""
        batch = self.pairs.prepared_for(defence).__getitems__(visits)
        patch_index = self.part.index(batch["visit"], 0.0)
        if patch_index is not None:
            batch["patch_index"] = patch_index
        return {name: value.to(self.device) for name, value in batch.items()}


def works(steps: Steps, setting: Setting, visits: list[Visit]) -> dict[str, Work]:
    """All that is compared, on one batch."""
    defences = {name: make_defence({"name": name}) for name in DEFENCES}
    plain = setting.batch(defences["plain"], visits)
    known = setting.batch(defences["semantic-shield"], visits)
    found = {
        "clip": steps.clip(plain),
        "clip losses": steps.clip_loss(plain),
        "elements": steps.elements(known),
    }
    for name, defence in defences.items():
        own = setting.batch(defence, visits)
        found[name] = steps.defended(defence, own)
        found[f"{name} losses"] = steps.losses(defence, own)
        made = setting.pairs.prepared_for(defence)
        found[f"{name} batch"] = partial(made.__getitems__, visits)
    return found


def plan_seconds(
    steps: Steps, setting: Setting, processor: ShieldCLIPProcessor
) -> dict[str, float]:
    """Planning an epoch, per batch of it."""
    data = setting.pairs.data
    view = ModelView(steps.model, processor, data.pixels, data.captions)
    taken = {}
    for name in DEFENCES:
        defence = make_defence({"name": name})
        spent = seconds(partial(defence.plan, 0, view), setting.device)
        taken[name] = spent / len(setting.pairs.visits)
    return taken


def seconds(work: Work, device: torch.device) -> float:
    """Of the processor, or of the clock where another device does the work."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    began = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - began


def measure(steps: Steps, setting: Setting, processor: ShieldCLIPProcessor, repeats: int) -> Table:
    """Every work in turn, batch after batch; the order alternates."""
    rounds: list[dict[str, float]] = []
    shield = make_defence({"name": "semantic-shield"})
    unique = []
    for visits in islice(cycle(setting.pairs.visits), repeats + 1):
        turn = list(works(steps, setting, visits).items())
        if len(rounds) % 2:
            turn.reverse()
        rounds.append({name: seconds(work, setting.device) for name, work in turn})
        unique.append(len(setting.batch(shield, visits)["element_keys"]))
    rounds = rounds[1:]  # the first one warmed up
    plans = plan_seconds(steps, setting, processor)
    part = setting.part
    clip = statistics.median(taken["clip"] for taken in rounds)
    return Table(
        patches=max(round(part.spec.patch_keep * part.patches), 1),
        unique_elements=statistics.mean(unique),
        clip_seconds=clip,
        rows={name: row(name, rounds, plans[name] / clip) for name in DEFENCES},
    )


def row(name: str, rounds: list[dict[str, float]], plan: float) -> Row:
    """Medians over rounds."""

    def median(of: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(of(taken) / taken["clip"] for taken in rounds)

    knows = DEFENCES[name].needs_knowledge
    return Row(
        step=median(lambda taken: taken[name]),
        elements=median(lambda taken: taken["elements"]) if knows else 0.0,
        losses=median(lambda taken: taken[f"{name} losses"] - taken["clip losses"]),
        local=median(lambda taken: taken["plain"] - taken["clip"]),
        batch=median(lambda taken: taken[f"{name} batch"] - taken["plain batch"]),
        plan=plan,
    )


def open_setting(recipe: Recipe, most: int) -> tuple[ShieldCLIPModel, ShieldCLIPProcessor, Pairs]:
    """A fresh model of the recipe's sizes, and pairs with at most so many elements a caption."""
    opened, size = open_pairs(recipe.data, recipe.model.image_size), recipe.model.image_size
    elements = Elements(load_knowledge(recipe.knowledge.source), most)
    captions = {text for own in opened.captions for text in own}
    phrases = {phrase for text in captions for phrase in elements.of(text)}
    model, processor = set_up(recipe.model, sorted(captions | phrases), recipe.seed)
    preparation = Preparation(processor, recipe.data.augmentation, recipe.seed, elements)
    pixels = open_pixels(opened.rows, size, recipe.data.cache_gb)
    epoch = EpochBatches(pixels.readable, recipe.optimiser.batch_size, recipe.seed)
    data = PairDataset(pixels, opened.captions, preparation)
    return model, processor, Pairs(data, tuple(epoch), recipe.data.second_view)


def part_of(model: ShieldCLIPModel, spec: ModelSpec, kept: float, seed: int) -> Part:
    return Part(patch_count(model), spec.model_copy(update={"patch_keep": kept}), seed)


def as_text(record: dict[str, Any], tables: list[Table]) -> str:
    """What was run, then a table for every share of patches."""
    lines = [", ".join(f"{name} {value}" for name, value in record.items())]
    names = list(Row.__dataclass_fields__)
    for table in tables:
        lines += [
            f"\n{table.patches} patches an image, {table.unique_elements:.0f} unique elements; "
            f"a CLIP step takes {table.clip_seconds:.3g} s",
            f"{'defence':<22}" + "".join(f"{name:>10}" for name in names),
        ]
        for name, costs in {"(CLIP)": Row(1, 0, 0, 0, 0, 0), **table.rows}.items():
            figures = "".join(f"{value:>10.3f}" for value in asdict(costs).values())
            lines.append(f"{name:<22}{figures}")
    return "\n".join(lines)


@click.command()
@click.option("--model", "name", type=click.Choice(list(MODELS)), default="icons")
@click.option("--batch-size", default=256, show_default=True)
@click.option("--elements", default=6, show_default=True, help="Most elements of a caption.")
@click.option("--repeats", default=9, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--threads", default=1, show_default=True, help="Of the CPU.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="Does it run? The model `tiny`, two batches of 16.")
def main(
    name: str,
    batch_size: int,
    elements: int,
    repeats: int,
    device: str,
    threads: int,
    as_json: bool,
    quick: bool,
) -> None:
    """Measure every defence in one run."""
    if quick:
        name, batch_size, repeats = "tiny", 16, 1
    torch.set_num_threads(threads)
    overrides = [f"optimiser.batch_size={batch_size}", "data.poison=null", "data.streaming=false"]
    recipe = load_recipe(MODELS[name], overrides, SOURCE)
    model, processor, pairs = open_setting(recipe, elements)
    steps = Steps(model.to(device).train())
    record = {
        "model": name,
        "device": device,
        "threads": threads,
        "batch_size": batch_size,
        "elements_per_caption": elements,
        "repeats": repeats,
    }
    parts = [part_of(model, recipe.model, kept, recipe.seed) for kept in KEPT]
    tables = [
        measure(steps, Setting(pairs, part, model.device), processor, repeats) for part in parts
    ]
    if as_json:
        click.echo(json.dumps(record | {"tables": [asdict(table) for table in tables]}))
    else:
        click.echo(as_text(record, tables))


if __name__ == "__main__":
    main()
