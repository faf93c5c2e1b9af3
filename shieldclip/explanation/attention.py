"""How the global token's attention is spread over the picture, and how much a trigger draws."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from shieldclip.attacks.triggers import Trigger
from shieldclip.modeling import ShieldCLIPModel

LOCAL = 0.5
"""A trigger that touches at least this share of the pixels has no place of its own."""


@torch.no_grad()
def attention_maps(model: ShieldCLIPModel, pixels: Tensor) -> Tensor:
    """The attention of the last layer (or of a ResNet's pooling) to each patch.

    Args:
        model: a ViT or a ResNet.
        pixels: ``[B, 3, S, S]``, normalised, on the model's device.

    Returns:
        ``[B, P]`` float32, patches in row-major order: mean over heads, each row sums to 1.
    """
    attention: Tensor = model.vision_model(pixels, output_patches=True).patch_attention
    return attention


def trigger_mask(trigger: Trigger, size: int, sample: int) -> Tensor | None:
    """The pixels that a trigger covers, whatever lies under it.

    It is stamped on noise, so that no pixel can equal what covers it by being as white or as flat.

    Args:
        trigger: acts on the picture whose mask is wanted.
        size: side S of the picture in pixels.
        sample: id of the picture, which may decide the place.

    Returns:
        ``[S, S]`` bool; ``None`` for a trigger that is spread over the picture.
    """
    noise = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    stamped = trigger(noise, torch.tensor([sample]))
    mask = (stamped != noise).any(dim=1)[0]
    return mask if 0 < mask.float().mean() < LOCAL else None


def mass_on(attention: Tensor, mask: Tensor) -> Tensor:
    """The share of attention that falls on some pixels.

    A patch's attention is taken as spread evenly over its pixels, so that even attention gives
    the pixels' share of the area.

    Args:
        attention: ``[..., P]``, sums to 1; P is a square number.
        mask: ``[S, S]`` bool.

    Returns:
        ``[...]`` in ``[0, 1]``.
    """
    side = math.isqrt(attention.shape[-1])
    covered = adaptive_avg_pool2d(mask.float()[None], side).flatten()  # [P]
    return attention.float() @ covered.to(attention.device)
