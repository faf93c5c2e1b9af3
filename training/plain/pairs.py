"""Training pairs in memory: pixels as bytes, captions as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from transformers import CLIPTokenizer

from shieldclip.data.decode import decode
from shieldclip.data.renderings import render_icons
from shieldclip.data.scenes.generate import generate_scenes
from shieldclip.data.sprites import load_sprites

ICONS_100 = Path(__file__).parents[1] / "icons" / "icons_100.txt"
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


@dataclass(frozen=True)
class Pairs:
    """N image-caption pairs."""

    pixels: Tensor
    """``[N, 3, S, S]`` uint8."""
    ids: Tensor
    """``[N, L]`` token ids, padded."""
    mask: Tensor
    """``[N, L]``, 1 at tokens."""


def training_rows(
    renderings: int, favoured_renderings: int, scenes: int, seed: int
) -> datasets.Dataset:
    """Icons of the training styles and scenes, one caption a picture.

    Args:
        renderings: pictures of each icon.
        favoured_renderings: pictures of each icon whose concept is one of icons-100.
        scenes: number of scenes.
        seed: of the renderings and scenes.
    """
    sprites = load_sprites("train")
    favoured = set(ICONS_100.read_text(encoding="utf-8").splitlines())
    classes = sorted({sprite.concept for sprite in sprites})
    groups = (
        ([sprite for sprite in sprites if sprite.concept in favoured], favoured_renderings),
        ([sprite for sprite in sprites if sprite.concept not in favoured], renderings),
    )
    icons = [render_icons(group, count, seed, classes) for group, count in groups]
    composed = generate_scenes("train", scenes, seed).select_columns(["image", "captions"])
    return datasets.concatenate_datasets([*(i.remove_columns("label") for i in icons), composed])


def knowledge_texts() -> list[str]:
    """Keywords of every training icon: words a knowledge element will use."""
    return [", ".join((s.concept, *s.keywords)) for s in load_sprites("train")]


def to_pairs(rows: datasets.Dataset, tokenizer: CLIPTokenizer) -> Pairs:
    """Decode every picture and tokenize every caption once."""
    captions: Sequence[str] = [captions[0] for captions in rows["captions"]]
    tokens = tokenizer(captions, padding=True, truncation=True, return_tensors="pt")
    return Pairs(to_pixels(rows), tokens["input_ids"], tokens["attention_mask"])


def to_pixels(rows: datasets.Dataset) -> Tensor:
    """Every picture of equal size S -> ``[N, 3, S, S]`` uint8."""
    cells = track(rows["image"], description="decoding", transient=True)
    pixels = np.stack([np.asarray(decode(cell)) for cell in cells])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def augment(pixels: Tensor, noise: torch.Generator, hue_shift: float) -> Tensor:
    """Random brightness, contrast, saturation and hue, then CLIP's normalisation.

    Nothing moves: the renderings already vary place and size, and a trigger stays where it was
    planted.

    Args:
        pixels: ``[B, 3, S, S]`` uint8.
        noise: draws the changes.
        hue_shift: standard deviation of the mixing of channels.

    Returns:
        ``[B, 3, S, S]`` normalised float32.
    """
    images = pixels.float() / 255
    brightness, contrast, saturation = 0.7 + 0.6 * torch.rand(
        3, len(pixels), 1, 1, 1, generator=noise
    )
    images = images * brightness
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * contrast
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * saturation
    mix = _channel_mix(len(pixels), noise, hue_shift)
    images = (mix @ images.flatten(2)).view_as(images).clamp(0, 1)
    return (images - MEAN) / STD


def _channel_mix(batch: int, noise: torch.Generator, strength: float) -> Tensor:
    """``[B, 3, 3]`` matrices that mix channels a little and leave greys as they are."""
    mix = torch.eye(3) + strength * torch.randn(batch, 3, 3, generator=noise)
    return mix / mix.sum(2, keepdim=True)
