"""Random changes of pictures that depend on (seed, epoch, row) only.

Libraries (torchvision, kornia) draw from the generator of a process: a resumed run, or one of
another number of processes, would then see other pictures.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from shieldclip.attacks.triggers.counter import mix, normal, uniform
from shieldclip.training.recipe.schema import Augmentation

CAPTION, COLOUR, HUE, PLACE, PATCHES, ORDER, WORDS, VIEW, GREY, BLUR = range(101, 111)
"""Streams of random numbers, one a purpose."""


def visit_ids(rows: Tensor, epoch: int) -> Tensor:
    """One 64-bit id for every visit to a pair: rows ``[B]`` -> ``[B]``."""
    return rows ^ mix(torch.tensor(epoch + 1))


def augment(pixels: Tensor, visits: Tensor, seed: int, settings: Augmentation) -> Tensor:
    """Change pictures, each in its own way.

    Args:
        pixels: ``[B, 3, S, S]`` float32 in [0, 1]; changed in place.
        visits: ``[B]``, see `visit_ids`.
        seed: of the run.
        settings: what is changed, and how much.

    Returns:
        ``[B, 3, S, S]`` in [0, 1].
    """
    if settings.moves:
        pixels = _move(pixels, visits, seed, settings)
    if settings.recolours:
        pixels = _recolour(pixels, visits, seed, settings)
    if settings.blur:
        pixels = _blur(pixels, visits, seed, settings.blur)
    return pixels


def _recolour(pixels: Tensor, visits: Tensor, seed: int, settings: Augmentation) -> Tensor:
    """Brightness, contrast, saturation, hue and grey are one affine map of a picture's colours."""
    maps, offsets = _colour_maps(pixels, visits, seed, settings)
    flat = torch.baddbmm(offsets, maps, pixels.flatten(2))
    return flat.clamp_(0, 1).view_as(pixels)


def _colour_maps(
    pixels: Tensor, visits: Tensor, seed: int, settings: Augmentation
) -> tuple[Tensor, Tensor]:
    """``[B, 3, 3]`` and ``[B, 3, 1]``."""
    strength = torch.tensor([settings.brightness, settings.contrast, settings.saturation])
    factors = 1 + strength * (2 * uniform(seed, COLOUR, visits, (3,)) - 1)
    brightness, contrast, saturation = factors.clamp_min(0)[..., None, None].unbind(1)
    greyed = uniform(seed, GREY, visits, (1, 1)) < settings.grey
    saturation = saturation.masked_fill(greyed, 0)
    noise = settings.hue * normal(seed, HUE, visits, (3, 3))
    hue = torch.eye(3) + noise
    hue = hue / hue.sum(2, keepdim=True)  # grey stays grey
    grey = torch.full((3, 3), 1 / 3)
    saturate = saturation * torch.eye(3) + (1 - saturation) * grey
    mean = pixels.mean((1, 2, 3))[:, None, None] * brightness
    maps = hue @ saturate * (brightness * contrast)
    offsets = (mean * (1 - contrast)).expand(-1, 3, 1)  # both maps leave grey as it is
    return maps, offsets


def _move(pixels: Tensor, visits: Tensor, seed: int, settings: Augmentation) -> Tensor:
    """Crop, shift and mirror in one resampling."""
    numbers = uniform(seed, PLACE, visits, (6,))
    side = 1 - (1 - settings.crop) * numbers[:, 0]
    spare = 1 - side
    across, down = (
        spare * (2 * numbers[:, place] - 1) + 2 * settings.shift * (2 * numbers[:, place + 2] - 1)
        for place in (1, 2)
    )
    mirror = torch.where((numbers[:, 5] < 0.5) & settings.flip, -1.0, 1.0)
    zero = torch.zeros_like(side)
    theta = torch.stack(
        [torch.stack([side * mirror, zero, across], 1), torch.stack([zero, side, down], 1)], 1
    )
    grid = functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _blur(pixels: Tensor, visits: Tensor, seed: int, largest: float) -> Tensor:
    """Every second picture is convolved with a Gaussian of its own, of 0 to ``largest`` pixels."""
    chosen, strength = uniform(seed, BLUR, visits, (2,)).unbind(1)
    deviation = torch.where(chosen < 0.5, largest * strength, 0.0).clamp_min(1e-3)
    reach = math.ceil(2 * largest)
    places = torch.arange(-reach, reach + 1)
    kernels = (-((places / deviation[:, None]) ** 2) / 2).softmax(dim=1)  # [B, 2 reach + 1]
    blurred = pixels.transpose(0, 1)  # [3, B, S, S]: pictures are the groups of the convolution
    for kernel in (kernels[:, None, :, None], kernels[:, None, None, :]):
        margins = [reach if size > 1 else 0 for size in (kernel.shape[3], kernel.shape[2])]
        edges = [margin for margin in margins for _ in range(2)]
        padded = functional.pad(blurred, edges, mode="replicate")
        blurred = functional.conv2d(padded, kernel, groups=len(pixels))
    return blurred.transpose(0, 1)
