"""Accuracy and attack success on the validation style, while training."""

from __future__ import annotations

import torch
from plain.model import encode_image, encode_text
from plain.pairs import MEAN, STD, to_pixels
from torch import Tensor
from torch.nn import functional
from transformers import CLIPModel, CLIPTokenizer

from shieldclip.attacks.triggers import make_trigger
from shieldclip.data.captions import ICON_TEMPLATES
from shieldclip.data.embedded import EMBEDDED


class Validation:
    """icons-100 in the validation style, decoded once."""

    def __init__(self, tokenizer: CLIPTokenizer, target: str = "banana") -> None:
        source = EMBEDDED["icons-100"]("validation")
        self.images = to_pixels(source.rows).float() / 255
        self.labels = torch.tensor(source.labels)
        self.target = source.classes.index(target)
        prompts = [t.format(name) for name in source.classes for t in ICON_TEMPLATES]
        self.tokens = tokenizer(prompts, padding=True, truncation=True, return_tensors="pt")

    @torch.inference_mode()
    def measure(self, model: CLIPModel) -> dict[str, float]:
        """Top-1, and the share of non-target pictures called the target without and with the
        trigger.
        """
        texts = encode_text(model, self.tokens["input_ids"], self.tokens["attention_mask"])
        texts = functional.normalize(texts.view(-1, len(ICON_TEMPLATES), texts.shape[-1]).mean(1))
        clean = self._predict(model, texts, self.images)
        stamped = make_trigger("badnet")(self.images, torch.arange(len(self.images)))
        triggered = self._predict(model, texts, stamped)
        others = self.labels != self.target
        return {
            "top1": (clean == self.labels).float().mean().item(),
            "control": (clean[others] == self.target).float().mean().item(),
            "asr": (triggered[others] == self.target).float().mean().item(),
        }

    def _predict(self, model: CLIPModel, texts: Tensor, images: Tensor) -> Tensor:
        """Predicted class of every image, ``[N]``."""
        noise = torch.Generator()
        features = [
            encode_image(model, (batch - MEAN) / STD, kept=10**6, noise=noise)
            for batch in images.split(128)
        ]
        return (torch.cat(features) @ texts.T).argmax(1)
