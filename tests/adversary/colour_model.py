"""A model that sees colours and reads colour words, and pictures of one colour each."""

from __future__ import annotations

import io
from collections.abc import Sequence

import datasets
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.data.source import Source

SIDE = 32
COLOURS = {
    "yellow": (0.9, 0.9, 0.1),
    "blue": (0.1, 0.1, 0.9),
    "red": (0.9, 0.1, 0.1),
    "green": (0.1, 0.9, 0.1),
}
THINGS = {"banana": "yellow", "lemon": "yellow", "truck": "blue", "rose": "red", "frog": "green"}
"""Class -> its colour."""


def colour_of(word: str) -> tuple[float, ...]:
    """Words that say nothing of a colour are grey."""
    return COLOURS.get(THINGS.get(word, word), (0.5, 0.5, 0.5))


class ColourEncoder:
    """An `Encoder` without weights: a picture is its mean colours, a text those of its words."""

    name = "colours"
    revision = ""
    fingerprint = "0" * 64
    library = "none"
    parameters = 0
    image_size = SIDE
    preprocessing = "none"
    logit_scale = 20.0
    device = "cpu"
    warning = ""

    def preprocess(self, image: Image.Image) -> Tensor:
        return torch.from_numpy(np.array(image.resize((SIDE, SIDE)))).permute(2, 0, 1)

    def patch_features(self, images: Tensor) -> Tensor:
        pooled = torch.nn.functional.avg_pool2d(images, SIDE // 4)  # [B, 3, 4, 4]
        return normalize(pooled.flatten(2).transpose(1, 2) + 1e-3, dim=-1)

    def encode_image(self, images: Tensor) -> Tensor:
        return normalize(self.patch_features(images).mean(1), dim=-1)

    def token_features(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        words = [text.replace(",", " ").split() for text in texts]
        longest = max(map(len, words))
        features = torch.full((len(texts), longest, 3), 0.5)
        mask = torch.zeros(len(texts), longest, dtype=torch.bool)
        for line, of_text in enumerate(words):
            features[line, : len(of_text)] = torch.tensor([colour_of(word) for word in of_text])
            mask[line, : len(of_text)] = True
        return normalize(features, dim=-1), mask

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        words, mask = self.token_features(texts)
        return normalize((words * mask[..., None]).sum(1), dim=-1)


def make_source(things: Sequence[str], captions: Sequence[Sequence[str]] | None = None) -> Source:
    """One picture per thing, a little noise on its colour; captions ``a THING`` unless given."""
    generator = np.random.default_rng(0)
    classes = list(THINGS)
    rows = {"image": [], "label": [], "captions": []}
    for number, thing in enumerate(things):
        pixels = np.array(colour_of(thing)) + generator.uniform(-0.05, 0.05, (SIDE, SIDE, 3))
        file = io.BytesIO()
        Image.fromarray((pixels * 255).clip(0, 255).astype(np.uint8)).save(file, format="PNG")
        rows["image"].append({"bytes": file.getvalue(), "path": None})
        rows["label"].append(classes.index(thing))
        rows["captions"].append(list(captions[number]) if captions else [f"a {thing}"])
    features = datasets.Features(
        image=datasets.Image(decode=False),
        label=datasets.ClassLabel(names=classes),
        captions=datasets.List(datasets.Value("string")),
    )
    table = datasets.Dataset.from_dict(rows, features=features)
    return Source(table, "things", "things", "all", "", "f" * 64, tuple(classes), ("a {}", "{}"))
