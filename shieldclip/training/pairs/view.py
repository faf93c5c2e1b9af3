"""The training pairs as the model sees them now, for a defence's plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.matching import ImageFeatures, TextFeatures
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.modeling.tokens import word_mask
from shieldclip.training.defences.base import Seen
from shieldclip.training.pairs.batches import Elements
from shieldclip.training.pairs.picture_ids import picture_ids
from shieldclip.training.pairs.pixels import Pixels
from shieldclip.transport import Bags

_BATCH = 256
T = TypeVar("T")


@dataclass(frozen=True)
class ModelView:
    """A `PairsView` of one model."""

    model: ShieldCLIPModel
    processor: ShieldCLIPProcessor
    pixels: Pixels
    captions: Sequence[Sequence[str]]
    elements: Elements | None = None

    @property
    def meanings(self) -> Tensor:
        """``[N]``, of first captions; 0 where there is no knowledge."""
        if self.elements is None:
            return torch.zeros(len(self.captions), dtype=torch.int64)
        return torch.tensor([self.elements.meaning(texts[0]) for texts in self.captions])

    def see_images(self, rows: Sequence[int]) -> Seen:
        """Pictures of some pairs, without augmentation."""
        with self._judging():
            patches, whole, pictures, readable = _in_batches(self._see, rows)
        return Seen(ImageFeatures(patches, whole), pictures, readable)

    def read_texts(self, texts: Sequence[str]) -> TextFeatures:
        """Any texts."""
        with self._judging():
            words, whole, sizes = _in_batches(self._read, texts)
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cpu().cumsum(0)])
        return TextFeatures(Bags(words, offsets), whole)

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Evaluation mode, without gradient."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.model.train(training)

    def _see(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """``[b, P, D]``, ``[b, D]``, ``[b]`` and ``[b]``."""
        read, pixels = self.pixels.read(rows)
        inputs = self.processor(images=list(pixels))["pixel_values"].to(self.model.device)
        vision = self.model.vision_model(inputs, output_patches=True)
        project = self.model.visual_projection
        features = (vision.patches, vision.pooler_output)
        seen = (normalize(project(part), dim=-1) for part in features)
        return *seen, picture_ids(pixels), torch.tensor(read) == torch.tensor(rows)

    def _read(self, texts: Sequence[str]) -> tuple[Tensor, ...]:
        """Word features ``[S, D]`` of all texts, ``[b, D]``, words ``[b]`` of each."""
        tokens = self.processor(text=list(texts)).to(self.model.device)
        text = self.model.text_model(**tokens)
        project = self.model.text_projection
        mask = word_mask(tokens["input_ids"], self.model.config.text_config.eos_token_id)
        words = normalize(project(text.last_hidden_state[mask]), dim=-1)
        return words, normalize(project(text.pooler_output), dim=-1), mask.sum(dim=1)


def _in_batches(
    compute: Callable[[Sequence[T]], tuple[Tensor, ...]], items: Sequence[T]
) -> tuple[Tensor, ...]:
    """What is computed of each part, end to end."""
    starts = range(0, len(items), _BATCH)
    parts = [compute(items[start : start + _BATCH]) for start in starts]
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))
