"""Heat maps over pictures, drawn patch by patch: a model sees no finer than that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from shieldclip.explanation.explain import Explanation, View

SIDE = 320
"""Pictures are enlarged by whole factors up to about this many pixels."""
OPACITY = 0.88
"""Of the hottest patch; others let more of the picture through."""

FAINTNESS = 0.6
"""Contrast of the picture beneath: the ramps go from light to dark, so it has to be light."""
WHITE = 255

Ramp = tuple[tuple[int, int, int], ...]
ATTENTION: Ramp = ((255, 226, 122), (240, 128, 20), (122, 10, 40))
KNOWLEDGE: Ramp = ((190, 236, 226), (36, 140, 160), (22, 40, 110))
"""Colours from low to high; lightness falls all the way, so that colours need not be told apart."""

_INK, _PAPER = (16, 18, 22), (255, 255, 255)


def plain(view: View) -> Image.Image:
    """The picture itself, enlarged."""
    image = Image.fromarray(view.pixels.permute(1, 2, 0).numpy())
    factor = max(1, round(SIDE / image.width))
    return image.resize((image.width * factor,) * 2, Image.Resampling.NEAREST)


def attention_picture(explanation: Explanation, view: View, top: float) -> Image.Image:
    """Attention over the picture, the trigger's pixels in a frame.

    Args:
        explanation: whose view it is.
        view: one of its two.
        top: attention of a patch, in multiples of even attention, that gets the darkest colour.
    """
    heat = (evenness(view) / top).clamp(0, 1)
    return _framed(_overlay(view, heat, ATTENTION), explanation.mask)


def knowledge_picture(explanation: Explanation, view: View) -> Image.Image | None:
    """Similarity to the best fitting knowledge element, and each element's number at its patch."""
    if view.alignment is None:
        return None
    strength = view.alignment.strength
    low, high = strength.min(), strength.max()
    heat = (strength - low) / (high - low).clamp_min(1e-6)
    image = _framed(_overlay(view, heat, KNOWLEDGE), explanation.mask)
    return _numbered(image, view.alignment.best_patches.tolist(), view.side)


def evenness(view: View) -> Tensor:
    """``[P]``: attention in multiples of what each patch would get if all got the same."""
    return view.attention * len(view.attention)


def hottest(explanations: Sequence[Explanation]) -> float:
    """The largest attention of several explanations, in multiples of even attention."""
    return max(float(evenness(v).max()) for e in explanations for v in (e.clean, e.triggered))


def _overlay(view: View, heat: Tensor, ramp: Ramp) -> Image.Image:
    """Lays ``heat`` [P] in [0, 1] over the picture in grey."""
    base = plain(view)
    grey = np.asarray(base.convert("L").convert("RGB"), np.float32)
    grey = WHITE - FAINTNESS * (WHITE - grey)
    grid = Image.fromarray(heat.view(view.side, view.side).float().numpy())
    level = np.asarray(grid.resize(base.size, Image.Resampling.NEAREST))[..., None]
    alpha = OPACITY * level**0.75
    mixed = (1 - alpha) * grey + alpha * _coloured(level[..., 0], ramp)
    return Image.fromarray(mixed.round().astype(np.uint8))


def _coloured(level: NDArray[np.float32], ramp: Ramp) -> NDArray[np.float32]:
    """``[H, W]`` in [0, 1] -> ``[H, W, 3]`` in [0, 255]."""
    stops = np.linspace(0, 1, len(ramp))
    channels = [np.interp(level, stops, channel) for channel in zip(*ramp, strict=True)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _framed(image: Image.Image, mask: Tensor | None) -> Image.Image:
    """Draws the box around the trigger's pixels."""
    if mask is None:
        return image
    factor = image.width / mask.shape[-1]
    rows, columns = (torch.nonzero(mask.any(dim=dim)).flatten() for dim in (1, 0))
    top, bottom = int(rows[0]) * factor, (int(rows[-1]) + 1) * factor - 1
    left, right = int(columns[0]) * factor, (int(columns[-1]) + 1) * factor - 1
    draw = ImageDraw.Draw(image)
    draw.rectangle((left, top, right, bottom), outline=_PAPER, width=4)
    draw.rectangle((left, top, right, bottom), outline=_INK, width=2)
    return image


def _numbered(image: Image.Image, patches: Sequence[int], side: int) -> Image.Image:
    """Writes 1, 2, ... at these patches; numbers that share a patch share a label."""
    shared: dict[int, list[str]] = {}
    for number, patch in enumerate(patches, start=1):
        shared.setdefault(patch, []).append(str(number))
    draw = ImageDraw.Draw(image)
    step = image.width / side
    for patch, numbers in shared.items():
        row, column = divmod(patch, side)
        x, y = (column + 0.5) * step, (row + 0.5) * step
        _label(draw, " ".join(numbers), x, y, image.width)
    return image


def _label(draw: ImageDraw.ImageDraw, text: str, x: float, y: float, width: int) -> None:
    """A pill around ``text``, moved inside a picture of this width where it would stick out."""
    font = ImageFont.load_default(width * 0.08)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font, anchor="mm")
    half_height = (bottom - top) / 2 + 5
    half_width = max((right - left) / 2 + 6, half_height)
    x = min(max(x, half_width + 1), width - half_width - 2)
    y = min(max(y, half_height + 1), width - half_height - 2)
    box = (x - half_width, y - half_height, x + half_width, y + half_height)
    draw.rounded_rectangle(box, radius=half_height, fill=_PAPER, outline=_INK, width=1)
    draw.text((x, y), text, fill=_INK, font=font, anchor="mm")
