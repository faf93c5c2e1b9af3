"""What a picture may be called: class names in prompts, or prompts as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.explanation.subject import Subject


@dataclass(frozen=True)
class Choices:
    """C names, and the same number T of prompts for each."""

    names: tuple[str, ...]
    prompts: tuple[tuple[str, ...], ...]

    @classmethod
    def of_classes(cls, classes: Sequence[str], templates: Sequence[str]) -> Choices:
        """Every class name in every template, each with one ``{}``."""
        prompts = (tuple(t.replace("{}", name) for t in templates) for name in classes)
        return cls(tuple(classes), tuple(prompts))

    @classmethod
    def of_prompts(cls, prompts: Sequence[str]) -> Choices:
        """Texts that are names and prompts at once."""
        return cls(tuple(prompts), tuple((prompt,) for prompt in prompts))

    def embed(self, subject: Subject) -> Tensor:
        """``[C, D]`` unit norm: per name the normalised mean over its prompts."""
        flat = [prompt for of_name in self.prompts for prompt in of_name]
        features = subject.embed_texts(flat)
        features = features.view(len(self.names), -1, features.shape[-1])  # [C, T, D]
        return normalize(features.mean(dim=1), dim=-1)
