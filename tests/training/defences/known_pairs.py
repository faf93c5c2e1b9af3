"""Pairs whose true captions are known, as planning defences see them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import normalize

from shieldclip.matching import ImageFeatures, TextFeatures
from shieldclip.training.defences.base import Seen
from shieldclip.transport import Bags

CONCEPTS, PAIRS, WIDTH = 8, 160, 16
WRONG = range(0, PAIRS, 16)


class KnownPairs:
    """Pictures of concepts; every 16th caption names another concept."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.concept = torch.arange(PAIRS) % CONCEPTS
        said = self.concept.clone()
        said[list(WRONG)] += 3
        self.captions = [[f"concept {c % CONCEPTS}"] for c in said.tolist()]
        noise = torch.randn(PAIRS, 5, WIDTH, generator=generator)
        centres = torch.eye(CONCEPTS, WIDTH)
        self.patches = normalize(centres[self.concept][:, None] + 0.1 * noise, dim=-1)
        self.words = centres
        self.pictures = torch.arange(PAIRS)
        self.readable = torch.ones(PAIRS, dtype=torch.bool)
        self.meanings = 1 + said % CONCEPTS

    def see_images(self, rows: Sequence[int]) -> Seen:
        chosen = self.patches[list(rows)]
        features = ImageFeatures(chosen, normalize(chosen.mean(1), dim=-1))
        return Seen(features, self.pictures[list(rows)], self.readable[list(rows)])

    def read_texts(self, texts: Sequence[str]) -> TextFeatures:
        chosen = self.words[[int(text.split()[1]) for text in texts]]
        offsets = torch.arange(len(texts) + 1)
        return TextFeatures(Bags(chosen, offsets), chosen)
