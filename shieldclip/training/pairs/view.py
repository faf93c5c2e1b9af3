"""The training pairs as the model sees them now, for a defence's plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.pairs.pixels import Pixels

_BATCH = 256
T = TypeVar("T")


@dataclass(frozen=True)
class ModelView:
    """A `PairsView` of one model."""

    model: ShieldCLIPModel
    processor: ShieldCLIPProcessor
    pixels: Pixels
    captions: Sequence[Sequence[str]]

    def embed_images(self, rows: Sequence[int]) -> Tensor:
        """Pictures of some pairs, without augmentation -> ``[len(rows), D]`` unit norm."""

        def embed(part: Sequence[int]) -> Tensor:
            _, pixels = self.pixels.read(part)
            inputs = self.processor(images=list(pixels))["pixel_values"].to(self.model.device)
            features: Tensor = self.model.get_image_features(pixel_values=inputs).pooler_output
            return features

        return self._embed(embed, rows)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Texts -> ``[len(texts), D]`` unit norm."""

        def embed(part: Sequence[str]) -> Tensor:
            tokens = self.processor(text=list(part)).to(self.model.device)
            features: Tensor = self.model.get_text_features(**tokens).pooler_output
            return features

        return self._embed(embed, texts)

    @torch.no_grad()
    def _embed(self, embed: Callable[[Sequence[T]], Tensor], items: Sequence[T]) -> Tensor:
        """In evaluation mode, in batches."""
        training = self.model.training
        self.model.eval()
        try:
            starts = range(0, len(items), _BATCH)
            parts = [embed(items[start : start + _BATCH]) for start in starts]
        finally:
            self.model.train(training)
        return normalize(torch.cat(parts), dim=-1)
