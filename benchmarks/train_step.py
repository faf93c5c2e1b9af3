"""What a training step costs under every defence; CLIP's own step is 1.

    python benchmarks/train_step.py [--model icons|vit-b-32|tiny] [--batch-size 256]
        [--elements 6] [--repeats 9] [--threads 1] [--defence NAME ...] [--json] [--quick]

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

Banks are full, and `roclip` matches. `safeclip` is measured as if every pair were both believed
and seen twice; in training each is one of the two, which takes less.

At batch 256 at most 1.5 is wanted of `step` for `otcclip`, and 1.7 for `shield`.

Pictures, captions and elements are those of icons and scenes, batches are made as in training, and
`vit-b-32` has the sizes of the recipe `coco-vit-b32`. All that is compared takes turns on one batch
after the other; every figure is the median over these. On a CPU, processor time counts: it hardly
depends on what else the machine does. Freed memory is kept, as by `shieldclip train`.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Any

import click
import torch
from torch import Tensor
from training_steps import LATE, Steps, Work, fill_banks

from shieldclip.knowledge import load_knowledge
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.allocator import keep_freed_memory
from shieldclip.training.defences import DEFENCES, Defence, make_defence
from shieldclip.training.engine.trainer import Part
from shieldclip.training.model_setup import patch_count, set_up
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
KNOWLEDGE = "embedded:icons"
KEPT = (1.0, 0.5)
"""Shares of image patches that steps see."""


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


def works(
    steps: Steps, setting: Setting, visits: list[Visit], names: Sequence[str]
) -> dict[str, Work]:
    """All that is compared, on one batch."""
    defences = {name: make_defence({"name": name}) for name in names}
    plain = setting.batch(defences["plain"], visits)
    known = setting.batch(make_defence({"name": "semantic-shield"}), visits)
    found = {
        "clip": steps.clip(plain),
        "clip losses": steps.clip_loss(plain),
        "elements": steps.elements(known),
    }
    for name, defence in defences.items():
        own = setting.batch(defence, visits)
        fill_banks(defence, steps.model.config.projection_dim)
        found[f"{name} losses"] = steps.losses(defence, own)
        found[name] = steps.defended(defence, own)
        made = setting.pairs.prepared_for(defence)
        found[f"{name} batch"] = partial(made.__getitems__, visits)
    return found


def plan_seconds(
    steps: Steps, setting: Setting, processor: ShieldCLIPProcessor, names: Sequence[str]
) -> dict[str, float]:
    """Planning an epoch, per batch of it."""
    data = setting.pairs.data
    view = ModelView(steps.model, processor, data.pixels, data.captions)
    taken = {}
    for name in names:
        defence = make_defence({"name": name})
        spent = seconds(partial(defence.plan, LATE.epoch, view), setting.device)
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


def measure(
    steps: Steps,
    setting: Setting,
    processor: ShieldCLIPProcessor,
    repeats: int,
    names: Sequence[str],
) -> Table:
    """Every work in turn, batch after batch; the order alternates."""
    rounds: list[dict[str, float]] = []
    shield = make_defence({"name": "semantic-shield"})
    unique = []
    for visits in islice(cycle(setting.pairs.visits), repeats + 1):
        turn = list(works(steps, setting, visits, names).items())
        if len(rounds) % 2:
            turn.reverse()
        rounds.append({name: seconds(work, setting.device) for name, work in turn})
        unique.append(len(setting.batch(shield, visits)["element_keys"]))
    rounds = rounds[1:]  # the first one warmed up
    plans = plan_seconds(steps, setting, processor, names)
    part = setting.part
    clip = statistics.median(taken["clip"] for taken in rounds)
    return Table(
        patches=max(round(part.spec.patch_keep * part.patches), 1),
        unique_elements=statistics.mean(unique),
        clip_seconds=clip,
        rows={name: row(name, rounds, plans[name] / clip) for name in names},
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
    texts = sorted(captions | elements.of_all(captions))
    model, processor = set_up(recipe.model, texts, recipe.seed)
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
@click.option(
    "--defence",
    "defences",
    type=click.Choice(list(DEFENCES)),
    multiple=True,
    help="Only these, beside plain; all of them unless given.",
)
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="Does it run? The model `tiny`, two batches of 16.")
def main(
    name: str,
    batch_size: int,
    elements: int,
    repeats: int,
    device: str,
    threads: int,
    defences: tuple[str, ...],
    as_json: bool,
    quick: bool,
) -> None:
    """Measure every defence in one run."""
    if quick:
        name, batch_size, repeats = "tiny", 16, 1
    torch.set_num_threads(threads)
    keep_freed_memory()
    overrides = [
        f"optimiser.batch_size={batch_size}",
        f"knowledge.source={KNOWLEDGE}",
        "data.poison=null",
        "data.streaming=false",
    ]
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
    names = [each for each in DEFENCES if not defences or each in ("plain", *defences)]
    tables = [
        measure(steps, Setting(pairs, part, model.device), processor, repeats, names)
        for part in parts
    ]
    if as_json:
        click.echo(json.dumps(record | {"tables": [asdict(table) for table in tables]}))
    else:
        click.echo(as_text(record, tables))


if __name__ == "__main__":
    main()
