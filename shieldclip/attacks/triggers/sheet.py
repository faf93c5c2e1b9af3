"""A picture of all triggers: each on the same image, beside the magnified difference."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from shieldclip.attacks.triggers.base import Trigger
from shieldclip.drafts import drafted

SIDE = 224
_COLUMNS = 4
_GAP = 8
_MARGIN = 20
_PADDING = 14
_CAPTION = 76
_CARD_WIDTH = 2 * (SIDE + _PADDING) + _GAP
_CARD_HEIGHT = _PADDING + SIDE + _CAPTION
_TABLE, _PAPER, _INK, _FAINT = "#e9ebef", "#ffffff", "#16181d", "#5b6270"


def draw_sheet(
    picture: Image.Image, triggers: Sequence[Trigger], labels: Sequence[str]
) -> Image.Image:
    """Every trigger on one picture.

    Args:
        picture: any picture, shown at 224 pixels.
        triggers: what to stamp.
        labels: name per trigger.

    Returns:
        An RGB picture with one card per trigger, four in a row.
    """
    rows = -(-len(triggers) // _COLUMNS)
    columns = min(_COLUMNS, len(triggers))
    width = columns * _CARD_WIDTH + (columns + 1) * _MARGIN
    sheet = Image.new("RGB", (width, rows * (_CARD_HEIGHT + _MARGIN) + _MARGIN), _TABLE)
    clean = _pixels(ImageOps.fit(picture.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS))
    for place, (trigger, label) in enumerate(zip(triggers, labels, strict=True)):
        row, column = divmod(place, _COLUMNS)
        corner = (
            _MARGIN + column * (_CARD_WIDTH + _MARGIN),
            _MARGIN + row * (_CARD_HEIGHT + _MARGIN),
        )
        sheet.paste(_card(clean, trigger, label), corner)
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with drafted(path) as draft:
        sheet.save(draft, format="PNG")


def _card(clean: Tensor, trigger: Trigger, label: str) -> Image.Image:
    stamped = trigger(clean[None], torch.tensor([0]))[0]
    difference, gain = _magnified(stamped - clean)
    card = Image.new("RGB", (_CARD_WIDTH, _CARD_HEIGHT), _PAPER)
    card.paste(_picture(stamped), (_PADDING, _PADDING))
    card.paste(_picture(difference), (_PADDING + SIDE + _GAP, _PADDING))
    draw, below = ImageDraw.Draw(card), _PADDING + SIDE
    draw.text((_PADDING, below + 7), label, fill=_INK, font=ImageFont.load_default(17))
    small = ImageFont.load_default(13)
    right = (_CARD_WIDTH - _PADDING, below + 10)
    draw.text(right, f"difference x {gain:.2g}", fill=_FAINT, font=small, anchor="ra")
    summary = textwrap.fill(trigger.summary(), 70, max_lines=2, placeholder=" ...")
    draw.multiline_text((_PADDING, below + 32), summary, fill=_FAINT, font=small, spacing=3)
    return card


def _magnified(difference: Tensor) -> tuple[Tensor, float]:
    """The difference around mid grey, scaled so that its largest values nearly saturate."""
    changed = difference.abs()[difference.abs() > 1 / 510]
    peak = float(changed.quantile(0.95)) if len(changed) else 1.0
    gain = max(1.0, 0.5 / peak)
    return (0.5 + gain * difference).clamp(0, 1), gain


def _pixels(picture: Image.Image) -> Tensor:
    """``[3, H, W]`` in ``[0, 1]``."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255


def _picture(pixels: Tensor) -> Image.Image:
    return Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).numpy())
