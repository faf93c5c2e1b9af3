"""How fast evaluation is, as ratios in one run.

    python benchmarks/eval_speed.py [--model shieldclip:icons-clean] [--suite quick] [--json]

- `zero_shot_vs_clip_benchmark`: pictures per second of our clean zero-shot pass over those of
  CLIP_benchmark's loop: same model, pictures, prompts, preprocessing and batch size, both from the
  encoded files. At least 1 is wanted.
- `suite_vs_bare_passes`: time of a whole suite, less loading the checkpoint, over T + 1 bare
  encoder passes, where T counts every trigger whose pictures are encoded, the controls among them.
  At most 1.05 is wanted.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import torch
from clip_benchmark.metrics.zeroshot_classification import run_classification, zero_shot_classifier
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from shieldclip.attacks.triggers import make_trigger
from shieldclip.data import open_source
from shieldclip.data.decode import decode
from shieldclip.data.source import Source
from shieldclip.encoders import load_encoder
from shieldclip.evaluation.cells import run_protocols
from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.passes import pass_key
from shieldclip.evaluation.pixels import Shelf
from shieldclip.evaluation.protocols.zero_shot import ZeroShot
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate
from shieldclip.evaluation.store import Store
from shieldclip.evaluation.suite import find_suite, load_suite
from shieldclip.types import Encoder


class Files(Dataset[tuple[Tensor, int]]):
    """Encoded files, decoded and preprocessed one by one, as CLIP_benchmark's loaders do."""

    def __init__(self, source: Source, encoder: Encoder) -> None:
        self.cells, self.labels, self.encoder = source.rows["image"], source.labels, encoder

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self.encoder.preprocess(decode(self.cells[row])).float() / 255, self.labels[row]


@dataclass(frozen=True)
class Peer:
    """An encoder with the two methods that CLIP_benchmark calls."""

    encoder: Encoder

    def encode_image(self, images: Tensor) -> Tensor:
        """Pixels in [0, 1] -> embeddings."""
        return self.encoder.encode_image(images)

    def encode_text(self, texts: Texts) -> Tensor:
        """Texts -> embeddings."""
        return self.encoder.encode_text(texts.texts)


@dataclass(frozen=True)
class Texts:
    """What its tokenizer returns: our encoders tokenize themselves."""

    texts: list[str]

    def to(self, _device: str) -> Texts:
        """Nothing to move."""
        return self


def timed(work: Callable[[], object], repeats: int) -> float:
    """Median seconds over some repeats."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def clip_benchmark_pass(encoder: Encoder, source: Source, batch_size: int) -> None:
    """CLIP_benchmark's zero-shot evaluation."""
    templates = [template.replace("{}", "{c}") for template in source.templates]
    peer, device = Peer(encoder), encoder.device
    classifier = zero_shot_classifier(peer, Texts, source.classes, templates, device, amp=False)
    loader = DataLoader(Files(source, encoder), batch_size=batch_size)
    run_classification(peer, classifier, loader, device, amp=False)


def zero_shot_pass(encoder: Encoder, source: Source, batch_size: int) -> None:
    """Our zero-shot evaluation of clean pictures, from the encoded files."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        bank = FeatureBank(
            encoder,
            source,
            partial(Shelf(store.folder).open, source, encoder),
            store,
            batch_size,
            "auto",
        )
        run_protocols(bank, {"zero-shot": ZeroShot(source.classes, source.templates, (), None)}, 0)


def run_suite(model: str, suite: str, batch_size: int) -> None:
    """Our evaluation, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        evaluate(EvalRequest((model,), suite, batch_size=batch_size, out=Path(folder)))


def bare_pass(encoder: Encoder, images: Tensor, batch_size: int) -> None:
    """The encoder alone on pixels in memory."""
    with torch.inference_mode():
        for batch in images.split(batch_size):
            encoder.encode_image(batch)


def passes(triggers: tuple[str, ...]) -> int:
    """Triggered passes of a suite: its triggers, and each different control once."""
    made = [make_trigger(name) for name in triggers]
    return len({pass_key(trigger) for t in made for trigger in (t, t.control())})


@click.command()
@click.option("--model", default="shieldclip:icons-clean", show_default=True)
@click.option("--suite", default="quick", show_default=True)
@click.option("--batch-size", default=128, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(model: str, suite: str, batch_size: int, repeats: int, as_json: bool) -> None:
    """Measure both ratios on the data of the suite's first entry."""
    entry = load_suite(find_suite(suite)).entries[0]
    source, encoder = open_source(**entry.data.model_dump()), load_encoder(model)
    images = torch.stack([encoder.preprocess(decode(cell)) for cell in source.rows["image"]])
    images = images.to(encoder.device).float() / 255
    triggered = passes(entry.triggers)
    peer = timed(lambda: clip_benchmark_pass(encoder, source, batch_size), repeats)
    ours = timed(lambda: zero_shot_pass(encoder, source, batch_size), repeats)
    bare = timed(lambda: bare_pass(encoder, images, batch_size), repeats)
    whole = timed(lambda: run_suite(model, suite, batch_size), repeats)
    loading = timed(lambda: load_encoder(model), repeats)
    figures = {
        "pictures": len(source.rows),
        "triggers": len(entry.triggers),
        "triggered_passes": triggered,
        "zero_shot_vs_clip_benchmark": peer / ours,
        "suite_vs_bare_passes": (whole - loading) / ((triggered + 1) * bare),
    }
    click.echo(
        json.dumps(figures) if as_json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )


if __name__ == "__main__":
    main()
