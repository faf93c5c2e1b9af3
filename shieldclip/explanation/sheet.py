"""One picture through all models as a PNG: a row a model, the trigger on the right."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from shieldclip.explanation.explain import Explanation
from shieldclip.explanation.figures import percent, row
from shieldclip.explanation.heat import attention_picture, hottest, plain

TILE, GAP, MARGIN, CAPTION = 240, 8, 20, 56
LENGTH = 30
"""Characters of a caption that fit under a tile."""
PAPER, INK, FAINT = "#ffffff", "#16181d", "#5b6270"


def draw_sheet(explanations: Sequence[Explanation]) -> Image.Image:
    """Picture and attention, without and with the trigger.

    Args:
        explanations: of one picture, one a model; at least one.

    Returns:
        An RGB picture.
    """
    top = hottest(explanations)
    width = 4 * TILE + 3 * GAP + 2 * MARGIN
    height = len(explanations) * (TILE + CAPTION) + 2 * MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    for at, explanation in enumerate(explanations):
        _row(sheet, explanation, top, MARGIN + at * (TILE + CAPTION))
    return sheet


def _row(sheet: Image.Image, explanation: Explanation, top: float, y: int) -> None:
    tiles = (
        plain(explanation.clean),
        attention_picture(explanation, explanation.clean, top),
        plain(explanation.triggered),
        attention_picture(explanation, explanation.triggered, top),
    )
    said = row(explanation)
    captions = (
        (said.clean, explanation.model),
        (_attention(explanation.clean.mass), ""),
        (said.triggered, f"with {explanation.trigger}"),
        (_attention(explanation.triggered.mass), ""),
    )
    draw = ImageDraw.Draw(sheet)
    for column, (tile, (first, second)) in enumerate(zip(tiles, captions, strict=True)):
        x = MARGIN + column * (TILE + GAP)
        sheet.paste(tile.resize((TILE, TILE), Image.Resampling.LANCZOS), (x, y))
        draw.text((x, y + TILE + 6), _clipped(first), fill=INK, font=ImageFont.load_default(15))
        draw.text((x, y + TILE + 26), second, fill=FAINT, font=ImageFont.load_default(13))


def _attention(mass: float | None) -> str:
    return "attention" if mass is None else f"attention, {percent(mass)} in frame"


def _clipped(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
