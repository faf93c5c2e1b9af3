"""From a data set and a target to what a search needs: pictures, and where to send them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.adversary.patch.objective import Goal
from shieldclip.adversary.pictures import read_pictures
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError
from shieldclip.types import Encoder

MOST_PICTURES = 4096
"""Pictures of other classes that are kept in memory; the authors take 1,800."""
MOST_TEXTS = 1024
"""Captions, where there are no classes."""
MOST_TARGETS = 512
"""Pictures of the target."""
BATCH = 64


@dataclass(frozen=True, eq=False)
class Material:
    """Pictures ``[n, 3, S, S]`` uint8 of other classes, split in two, and the goal."""

    training: Tensor
    validation: Tensor
    goal: Goal


def gather_material(
    source: Source, encoder: Encoder, target: str, share: float, seed: int
) -> Material:
    """Read and encode.

    Args:
        source: pictures with captions or labels, some of the target.
        encoder: the model to be attacked.
        target: a class, or a word of captions.
        share: of the pictures, for validation.
        seed: of the split.

    Raises:
        ShieldCLIPError: no picture or text of the target, or too few others.
    """
    pairs = _pairs(source)
    showing = [row for row in range(len(pairs)) if pairs.shows(row, target)]
    others = [row for row in range(len(pairs)) if not pairs.shows(row, target)]
    if not showing or len(others) < 2:
        raise ShieldCLIPError(
            f"Expected pictures of {target!r} and at least two others in {source.source!r}, got "
            f"{len(showing)} and {len(others)}; choose a class or word that its rows name."
        )
    draw = random.Random(f"patch {seed}")
    chosen = draw.sample(others, min(len(others), MOST_PICTURES))
    _, pixels = read_pictures(source, encoder, chosen)
    _, of_target = read_pictures(source, encoder, showing[:MOST_TARGETS])
    held_out = min(max(1, round(share * len(pixels))), len(pixels) - 1)
    captions, other_texts = _texts(source, pairs, encoder, target, draw)
    goal = Goal(captions, other_texts, encode(encoder, of_target), encoder.logit_scale)
    return Material(pixels[held_out:], pixels[:held_out], goal)


@torch.no_grad()  # inference tensors could not take part in a loss
def encode(encoder: Encoder, pixels: Tensor) -> Tensor:
    """``[n, 3, S, S]`` uint8 -> ``[n, D]`` unit norm, without gradient."""
    parts = (part.to(encoder.device).float() / 255 for part in torch.split(pixels, BATCH))
    return torch.cat([encoder.encode_image(images) for images in parts])


def _pairs(source: Source) -> Pairs:
    captions = source.captions or [[] for _ in source.labels]
    return Pairs(captions, source.labels if source.classes else [], source.classes)


@torch.no_grad()
def _texts(
    source: Source, pairs: Pairs, encoder: Encoder, target: str, draw: random.Random
) -> tuple[Tensor, Tensor]:
    """Texts of the target ``[K, D]``, and of everything else ``[C, D]``.

    Classes are asked about by the prompts of the source; without classes captions stand for
    themselves.
    """
    if source.classes:
        rest = [name for name in source.classes if name != target]
        own = _prompts(source, target)
        flat = encoder.encode_text([text for name in rest for text in _prompts(source, name)])
        by_class = flat.reshape(len(rest), len(own), -1)
        return encoder.encode_text(own), normalize(by_class.mean(dim=1), dim=-1)
    naming = pairs.captions_naming(target)
    different = dict.fromkeys(text for texts in pairs.captions for text in texts)
    rest = sorted(different.keys() - set(naming))
    return (
        encoder.encode_text(draw.sample(naming, min(len(naming), MOST_TEXTS))),
        encoder.encode_text(draw.sample(rest, min(len(rest), MOST_TEXTS))),
    )


def _prompts(source: Source, name: str) -> Sequence[str]:
    return [template.replace("{}", name) for template in source.templates]
