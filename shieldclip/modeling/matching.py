"""Features for a matching in memory, from a model and its processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import ImageFeatures, TextFeatures
from shieldclip.matching.features import join_images, join_texts
from shieldclip.modeling.model import ShieldCLIPModel
from shieldclip.transport import Bags


class LocalFeatures:
    """Encodes pictures and texts in batches, without gradient.

    Args:
        model: in evaluation mode.
        processor: prepares what it takes.
        batch_size: pictures or texts encoded at once.

    Raises:
        ShieldCLIPError: a model without local features.
    """

    def __init__(self, model: ShieldCLIPModel, processor: Any, batch_size: int) -> None:
        if not isinstance(model, ShieldCLIPModel):
            raise ShieldCLIPError(
                f"Expected a ShieldCLIPModel, got {type(model).__name__}; make one of it with "
                "ShieldCLIPModel.from_clip(model)."
            )
        self._model, self._processor, self._batch_size = model, processor, batch_size

    def images(self, images: Sequence[Any]) -> ImageFeatures:
        """Features of I pictures, on the CPU."""
        batches = range(0, len(images), self._batch_size)
        return join_images([self._images(images[at : at + self._batch_size]) for at in batches])

    def texts(self, texts: Sequence[str]) -> TextFeatures:
        """Features of N texts, on the CPU."""
        batches = range(0, len(texts), self._batch_size)
        return join_texts([self._texts(list(texts[at : at + self._batch_size])) for at in batches])

    def _images(self, images: Sequence[Any]) -> ImageFeatures:
        pixels = self._processor(images=list(images))["pixel_values"]
        output = self._forward(pixels, self._processor(text=["a"])["input_ids"])
        return ImageFeatures(output.patch_embeds.float().cpu(), output.image_embeds.float().cpu())

    def _texts(self, texts: list[str]) -> TextFeatures:
        side = self._model.config.vision_config.image_size
        output = self._forward(
            torch.zeros(1, 3, side, side), self._processor(text=texts)["input_ids"]
        )
        words = Bags.pack(output.token_embeds.float().cpu(), output.token_mask.cpu())
        return TextFeatures(words, output.text_embeds.float().cpu())

    @torch.inference_mode()
    def _forward(self, pixels: Tensor, ids: Tensor) -> Any:
        """The model takes pictures and texts together; one of the two is a stand-in."""
        return self._model(
            input_ids=ids.to(self._model.device),
            pixel_values=pixels.to(self._model.device, self._model.dtype),
            output_local=True,
        )
