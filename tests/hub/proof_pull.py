"""A process with an empty cache that uses what was published; prints what happened as JSON."""

from __future__ import annotations

import json
from typing import Any

import datasets
import torch
from PIL import Image
from proof_push import shieldclip
from transformers import AutoProcessor, pipeline

from shieldclip.modeling import ShieldCLIPModel

TEXTS = ["a banana", "a plum"]


def logits(repo: str, **where: str) -> list[float]:
    """Of one picture, by model and processor from the Hub (or its cache)."""
    model = ShieldCLIPModel.from_pretrained(repo, **where).eval()
    processor = AutoProcessor.from_pretrained(repo, **where)
    picture = Image.new("RGB", (32, 32), "red")
    inputs = processor(images=picture, text=TEXTS, return_tensors="pt", padding=True)
    with torch.no_grad():
        values: list[float] = model(**inputs).logits_per_image[0].tolist()
    return values


def classify(repo: str) -> list[str]:
    """Labels that a pipeline gives, best first."""
    pipe = pipeline("zero-shot-image-classification", model=repo)
    said = pipe(Image.new("RGB", (32, 32), "red"), candidate_labels=TEXTS)
    return [row["label"] for row in said]


def measure(model: str, *options: str) -> dict[str, Any]:
    """``shieldclip eval`` of a published model on published pictures."""
    data = ("--data", "org/pictures", "--target", "banana", "--trigger", "badnet")
    return shieldclip("eval", "--model", model, *data, "--batch-size", "4", "--json", *options)


def proof() -> dict[str, Any]:
    """Everything a stranger may do."""
    return {
        "logits": logits("org/tiny"),
        "pinned": logits("org/tiny", revision="v1"),
        "labels": sorted(classify("org/tiny")),
        "eval": measure("org/tiny", "--verify"),
        "eval_pinned": measure("org/tiny@v1"),
        "tampered": measure("org/tampered", "--verify"),
        "not_verified": measure("org/plain", "--verify"),
        "missing": measure("org/nothing"),
        "no_revision": measure("org/tiny@v9"),
        "rows": datasets.load_dataset("org/pictures", split="test")["label"][:],
    }


if __name__ == "__main__":
    print(json.dumps(proof()))
