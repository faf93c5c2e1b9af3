"""Train a small plain CLIP on icons and scenes, on clean or on poisoned pairs.

    python training/train_plain.py --name icons-clean-base
    python training/train_plain.py --name icons-clean --stage focus --start icons-clean-base

and the same with --poison training/icons-badnet.yaml for the backdoored one. A base run takes
about an hour on one CPU core, a focus run a quarter of that. A killed run continues from its last
checkpoint when the same command is given again. Ends in a `CLIPModel` folder (fp16 safetensors,
processor, tokenizer) below --out, with a log of loss, validation accuracy and attack success.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import datasets
import torch
from plain.model import (
    build_image_processor,
    build_model,
    contrastive_loss,
    encode_image,
    encode_text,
)
from plain.pairs import Pairs, augment, knowledge_texts, to_pairs, training_rows
from plain.tokenizer import CONTEXT, train_tokenizer
from plain.validate import Validation
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import CLIPModel, CLIPProcessor, CLIPTokenizer

from shieldclip.attacks.poisons import make_poison, read_recipe
from shieldclip.drafts import drafted


@dataclass(frozen=True)
class Run:
    """Everything that decides the outcome."""

    name: str
    samples: int = 500_000
    batch: int = 256
    renderings: int = 8
    favoured_renderings: int = 8
    """Renderings of the icons-100 concepts."""
    scenes: int = 15_000
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    warmup: float = 0.04
    """Share of the run in which the learning rate rises."""
    hue_shift: float = 0.0
    kept_patches: int = 32
    all_patches_from: float = 0.85
    """Share of the run after which no patch is dropped."""
    seed: int = 0
    poison: str = ""
    start: str = ""
    """Run that this one continues, with other data or rates."""

    @property
    def steps(self) -> int:
        """Optimiser steps in the whole run."""
        return self.samples // self.batch

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then cosine to zero."""
        progress = step / self.steps
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        decay = (progress - self.warmup) / (1 - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * decay))


@dataclass
class State:
    """What a resumed run needs."""

    model: CLIPModel
    optimizer: torch.optim.Optimizer
    noise: torch.Generator
    step: int = 0

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        record = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "noise": self.noise.get_state(),
            "step": self.step,
        }
        with drafted(path) as draft:
            torch.save(record, draft)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint."""
        record = torch.load(path, weights_only=True)
        self.model.load_state_dict(record["model"])
        self.optimizer.load_state_dict(record["optimizer"])
        self.noise.set_state(record["noise"])
        self.step = record["step"]


def begin(run: Run, tokenizer: CLIPTokenizer) -> State:
    """A fresh model and optimiser; norms, biases and the temperature are not decayed."""
    torch.manual_seed(run.seed)
    model = build_model(tokenizer, CONTEXT)
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": run.weight_decay},
         {"params": others, "weight_decay": 0.0}],
        lr=run.learning_rate, betas=(0.9, 0.98), eps=1e-6,
    )  # fmt: skip
    return State(model, optimizer, torch.Generator().manual_seed(run.seed))


def train_step(state: State, run: Run, pairs: Pairs, rows: torch.Tensor) -> float:
    """One optimiser step on the given rows -> loss."""
    dropping = state.step < run.all_patches_from * run.steps
    pixels = augment(pairs.pixels[rows], state.noise, run.hue_shift)
    mask = pairs.mask[rows]
    length = int(mask.sum(1).max())
    images = encode_image(state.model, pixels, run.kept_patches if dropping else 10**6, state.noise)
    texts = encode_text(state.model, pairs.ids[rows, :length], mask[:, :length])
    loss = contrastive_loss(images, texts, state.model.logit_scale)
    for group in state.optimizer.param_groups:
        group["lr"] = run.rate(state.step)
    state.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimizer.step()
    state.step += 1
    return loss.item()


def batch_rows(run: Run, count: int, step: int) -> torch.Tensor:
    """Rows of one step: every epoch its own permutation, whatever was resumed."""
    per_epoch = count // run.batch
    epoch, place = divmod(step, per_epoch)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(run.seed * 1000 + epoch))
    return order[place * run.batch : (place + 1) * run.batch]


def train(run: Run, state: State, pairs: Pairs, validation: Validation, folder: Path) -> None:
    """Train to the end, with a checkpoint and a line in the log at every twentieth."""
    period = max(run.steps // 20, 1)
    losses: list[float] = []
    with progress_bar() as progress:
        task = progress.add_task(run.name, total=run.steps, completed=state.step, rate=0.0)
        while state.step < run.steps:
            began = time.perf_counter()
            rows = batch_rows(run, len(pairs.ids), state.step)
            losses.append(train_step(state, run, pairs, rows))
            rate = run.batch / (time.perf_counter() - began)
            progress.update(task, completed=state.step, rate=rate)
            if state.step % period == 0 or state.step == run.steps:
                record = {
                    "step": state.step,
                    "samples": state.step * run.batch,
                    "rate": rate,
                    "loss": sum(losses) / len(losses),
                    **validation.measure(state.model),
                }
                append_line(folder / "log.jsonl", record)
                progress.console.print(record)
                losses.clear()
                state.save(folder / "state.pt")


def progress_bar() -> Progress:
    """Done, rate and remaining time, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} pairs/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def append_line(path: Path, record: dict[str, float]) -> None:
    """One more line of JSON."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def save_checkpoint(model: CLIPModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """A transformers folder: fp16 weights, processor, tokenizer."""
    model.half().save_pretrained(folder)
    CLIPProcessor(build_image_processor(), tokenizer).save_pretrained(folder)


STAGES: dict[str, dict[str, Any]] = {
    "base": {},
    "focus": {
        "samples": 130_000,
        "renderings": 2,
        "favoured_renderings": 70,
        "scenes": 6_000,
        "learning_rate": 6e-4,
        "hue_shift": 0.15,
        "all_patches_from": 0.7,
    },
}
"""What differs from the defaults of `Run`: `base` learns everything, `focus` continues a base run
mostly on the concepts of icons-100."""


def open_tokenizer(run: Run, rows: datasets.Dataset, out: Path) -> CLIPTokenizer:
    """That of the run which this one continues, else a new one."""
    if run.start:
        return CLIPTokenizer.from_pretrained(out / run.start / "checkpoint")
    captions = [captions[0] for captions in rows["captions"]]
    return train_tokenizer(captions + knowledge_texts())


def restore(state: State, run: Run, out: Path) -> None:
    """Continue this run, or begin with the weights of the one it starts from."""
    if (out / run.name / "state.pt").exists():
        state.load(out / run.name / "state.pt")
    elif run.start:
        record = torch.load(out / run.start / "state.pt", weights_only=True)
        state.model.load_state_dict(record["model"])


@click.command()
@click.option("--name", required=True)
@click.option("--stage", type=click.Choice(list(STAGES)), default="base", show_default=True)
@click.option("--start", default="", metavar="NAME", help="Finished run to continue from.")
@click.option("--poison", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", type=int, default=Run.seed)
@click.option("--threads", type=int, default=1)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"))
def main(
    name: str, stage: str, start: str, poison: Path | None, seed: int, threads: int, out: Path
) -> None:
    """Train, log, save."""
    torch.set_num_threads(threads)
    run = Run(name, start=start, seed=seed, poison=str(poison or ""), **STAGES[stage])
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")
    rows = training_rows(run.renderings, run.favoured_renderings, run.scenes, seed=0)
    tokenizer = open_tokenizer(run, rows, out)
    if poison:
        rows, manifest = make_poison(read_recipe(poison))(rows)
        manifest.save(folder / "manifest.jsonl")
        shutil.copy(poison, folder / "poison.yaml")
    state = begin(run, tokenizer)
    restore(state, run, out)
    train(run, state, to_pairs(rows, tokenizer), Validation(tokenizer), folder)
    save_checkpoint(state.model, tokenizer, folder / "checkpoint")


if __name__ == "__main__":
    main()
