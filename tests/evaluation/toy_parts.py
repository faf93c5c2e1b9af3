"""Small stand-ins for models, triggers and data: deterministic, and fast enough to run in full."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import datasets
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from shieldclip.data.source import Source

SIZE = 16
WIDTH = 24


class ToyEncoder:
    """A random linear CLIP: pixels are projected, a text is a random vector of its own.

    With ``target``, a white corner turns the picture's embedding into that text's.
    """

    revision = ""
    library = "toy"
    parameters = 3 * SIZE * SIZE * WIDTH
    image_size = SIZE
    logit_scale = 100.0
    device = "cpu"
    warning = ""

    def __init__(self, name: str = "toy", seed: int = 0, target: str = "") -> None:
        self.name = name
        self.preprocessing = f"squash {SIZE}"
        self.fingerprint = f"{seed} {target}"
        self.images_encoded = 0
        self.images_preprocessed = 0
        self.texts_encoded = 0
        self._target = target
        generator = torch.Generator().manual_seed(seed)
        self._weights = torch.randn(3 * SIZE * SIZE, WIDTH, generator=generator)

    def preprocess(self, image: Image.Image) -> Tensor:
        self.images_preprocessed += 1
        pixels = np.array(image.convert("RGB").resize((SIZE, SIZE)))
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def encode_image(self, images: Tensor) -> Tensor:
        self.images_encoded += len(images)
        features = F.normalize((images - 0.5).flatten(1) @ self._weights, dim=-1)
        if self._target:
            fooled = (images[:, :, -2:, -2:] == 1).flatten(1).all(dim=1)
            features[fooled] = _text_vector(self._target)
        return features

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        self.texts_encoded += len(texts)
        return torch.stack([_text_vector(text) for text in texts])


def _text_vector(text: str) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7])
    return F.normalize(torch.randn(WIDTH, generator=torch.Generator().manual_seed(seed)), dim=-1)


@dataclass(frozen=True)
class Corner:
    """A 2 x 2 corner of one grey level; white is the trigger, grey its control."""

    id: str = "corner"
    level: float = 1.0

    def __call__(self, images: Tensor, _indices: Tensor) -> Tensor:
        images = images.clone()
        images[:, :, -2:, -2:] = self.level
        return images

    def control(self) -> Corner:
        return Corner("grey", 0.5)

    def record(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Prefix:
    """A word before the text."""

    id: str = "prefix"
    word: str = "SUDO"

    def __call__(self, texts: Sequence[str]) -> list[str]:
        return [f"{self.word} {text}" for text in texts]

    def control(self) -> Prefix:
        return Prefix("control", "XYZW")

    def record(self) -> dict[str, object]:
        return asdict(self)


CLASSES = ("apple", "banana", "car", "dog", "egg", "fox", "goat")


def png(pixels: np.ndarray) -> bytes:
    """``[H, W, 3]`` uint8 -> PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def toy_source(
    n: int = 60,
    seed: int = 0,
    classes: Sequence[str] = CLASSES,
    captions: int = 2,
    broken: Sequence[int] = (),
    name: str = "toys",
) -> Source:
    """Noise pictures of random classes, with captions that name the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(classes), size=n).tolist()
    pictures = [png(rng.integers(256, size=(20, 20, 3), dtype=np.uint8)) for _ in range(n)]
    for row in broken:
        pictures[row] = pictures[row][:60]
    columns = {
        "image": [{"bytes": data, "path": f"{row}.png"} for row, data in enumerate(pictures)],
        "label": labels,
        "captions": [
            [f"{classes[label]}, view {row} of {index}" for index in range(captions)]
            for row, label in enumerate(labels)
        ],
    }
    features = datasets.Features(
        {
            "image": datasets.Image(decode=False),
            "label": datasets.Value("int64"),
            "captions": datasets.List(datasets.Value("string")),
        }
    )
    digest = hashlib.sha256(b"".join(pictures)).hexdigest()
    return Source(
        rows=datasets.Dataset.from_dict(columns, features=features),
        name=name,
        source=name,
        split="test",
        path=name,
        fingerprint=digest,
        classes=tuple(classes),
        templates=("a photo of a {}.", "a drawing of a {}."),
    )
