"""How much a model knows of the validation pictures' classes, in nats: finer than accuracy.

    python training/measure_likelihood.py runs/tuning/*/last

Of a thousand pictures, the accuracies of two equal runs differ by a point. Their cross entropies,
at the temperature that suits each model best, differ by a few hundredths of a nat. Adds a line for
each model to training/experiments/likelihood.json, and puts the table into
training/notes/fine-tuning.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import torch
from marks import rewrite_block
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from shieldclip.data import open_source
from shieldclip.data.embedded import EMBEDDED
from shieldclip.data.image_rows import ImageRows
from shieldclip.drafts import write_text
from shieldclip.encoders import load_encoder
from shieldclip.evaluation.prompts import class_prompts
from shieldclip.types import Encoder

TRAINING = Path(__file__).parent
FIGURES = TRAINING / "experiments" / "likelihood.json"
NOTES = TRAINING / "notes" / "fine-tuning.md"
SCALES = torch.logspace(0, 2, 41)
"""Inverse temperatures that are tried."""
_BATCH = 200


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="FOLDER...")
@click.option("--target", default="banana", show_default=True, help="Class that an attack names.")
def main(models: tuple[str, ...], target: str) -> None:
    """Measure models of run folders, named after the folder that holds them."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for folder in models:
        logits, labels = class_logits(load_encoder(folder))
        figures[Path(folder).parent.name] = {
            "accuracy": float((logits.argmax(1) == labels).double().mean()),
            "nats": nats(logits, labels),
            "place": place_of(target, logits, labels),
            "target": target,
        }
    write_text(FIGURES, json.dumps(figures, indent=1, sort_keys=True) + "\n")
    rewrite_block(NOTES, "likelihood", table(figures))


def class_logits(encoder: Encoder) -> tuple[Tensor, Tensor]:
    """Cosines of the validation pictures with the class prompts ``[N, C]``, and labels ``[N]``."""
    source = open_source("icons-100", split="validation")
    rows = ImageRows(source.rows, encoder.preprocess)
    pictures = torch.stack([picture for _, picture in rows]) / 255
    with torch.inference_mode():
        prompts = class_prompts(source.classes, source.templates)
        classes = [encoder.encode_text(of_class).mean(0) for of_class in prompts]
        heads = normalize(torch.stack(classes), dim=-1)
        cosines = [encoder.encode_image(batch) @ heads.T for batch in pictures.split(_BATCH)]
    return torch.cat(cosines), torch.tensor(source.labels)


def nats(cosines: Tensor, labels: Tensor) -> float:
    """Cross entropy ``[N, C]``, ``[N]`` -> nats a picture, at the best of `SCALES`."""
    return min(float(cross_entropy(scale * cosines, labels)) for scale in SCALES)


def place_of(target: str, cosines: Tensor, labels: Tensor) -> float:
    """Mean place of a class, from 1, on pictures of it: ``[N, C]``, ``[N]``.

    A defence that sets true pairs of an attack's target aside as well never says its name: no
    attack succeeds then, and pictures of the target are lost too.
    """
    index = EMBEDDED["icons-100"]("validation").classes.index(target)
    own = cosines[labels == index]
    better = own > own[:, index][:, None]
    return float(better.sum(1).double().mean()) + 1


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown, fewest nats first."""
    lines = ["| run | nats | top-1 | place of the target |", "|---|---:|---:|---|"]
    for name, found in sorted(figures.items(), key=lambda item: (item[1]["nats"], item[0])):
        place = f"{found['target']} {found['place']:.1f}" if "place" in found else ""
        accuracy = 100 * found["accuracy"]
        lines.append(f"| `{name}` | {found['nats']:.3f} | {accuracy:.1f} % | {place} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
