"""Attack success of every trigger as a PNG, for places that show no drawings of other kinds."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from shieldclip.evaluation.attack_rows import AttackRow, attack_rows, worst_targets
from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.report import EvalReport, Measurement

WIDTH, ROW, TOP, BOTTOM = 1200, 56, 76, 60
LEFT, RIGHT = 330, 1090
"""Where 0 and 1 lie, in pixels."""
BAR, CAP, MARK = 28, 8, 9
TICKS = (0, 0.25, 0.5, 0.75, 1)
LABEL_LENGTH = 24
PAPER, INK, FAINT, RULE = "#ffffff", "#1b1f24", "#59626d", "#dfe3e8"
CALM, DANGER = "#7893ad", "#cf6a61"


def draw_attacks(report: EvalReport) -> bytes | None:
    """A bar with its 95 % interval for the worst target of each trigger, and its two controls.

    Args:
        report: about one model.

    Returns:
        A PNG file, or ``None`` where no attack was measured.
    """
    rows = worst_targets(attack_rows(report), limit=1)
    if not rows:
        return None
    image = Image.new("RGB", (WIDTH, TOP + ROW * len(rows) + BOTTOM), PAPER)
    draw = ImageDraw.Draw(image)
    _legend(draw)
    _grid(draw, len(rows))
    for at, row in enumerate(rows):
        _bar(draw, row, TOP + ROW * at + ROW // 2, rows)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def place(share: float) -> float:
    """Where a share in [0, 1] lies, in pixels from the left."""
    return LEFT + share * (RIGHT - LEFT)


def _legend(draw: ImageDraw.ImageDraw) -> None:
    y = TOP // 2 - 6
    _circle(draw, 520, y)
    _diamond(draw, 780, y)
    for x, text in (
        (40, "ASR, %, with 95 % interval"),
        (538, "control"),
        (798, "untrained trigger"),
    ):
        draw.text((x, y), text, FAINT, _font(24), anchor="lm")


def _grid(draw: ImageDraw.ImageDraw, rows: int) -> None:
    bottom = TOP + ROW * rows
    for tick in TICKS:
        x = place(tick)
        draw.line((x, TOP, x, bottom), RULE if tick else FAINT, 2)
        draw.text((x, bottom + 26), f"{100 * tick:.0f}", FAINT, _font(22), anchor="mm")


def _bar(draw: ImageDraw.ImageDraw, row: AttackRow, y: int, rows: Sequence[AttackRow]) -> None:
    asr, strong = row.asr, row.excess is not None and row.excess.low > 0
    draw.text((LEFT - 30, y), _label(asr, rows), INK, _font(24), anchor="rm")
    end = place(asr.value)
    draw.rectangle((LEFT, y - BAR // 2, end, y + BAR // 2), DANGER if strong else CALM)
    low, high = place(asr.low), place(asr.high)
    draw.line((low, y, high, y), INK, 2)
    for x in (low, high):
        draw.line((x, y - CAP, x, y + CAP), INK, 2)
    if row.control:
        _circle(draw, place(row.control.value), y)
    if row.control_trigger:
        _diamond(draw, place(row.control_trigger.value), y)
    draw.text((WIDTH - 12, y), percent(asr.value), INK, _font(24), anchor="rm")


def _label(asr: Measurement, rows: Sequence[AttackRow]) -> str:
    several = len({row.asr.target for row in rows}) > 1
    label = f"{asr.trigger} to {asr.target}" if several else str(asr.trigger)
    return label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1]}…"


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.ellipse((x - MARK, y - MARK, x + MARK, y + MARK), PAPER, INK, 3)


def _diamond(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    corners = ((x, y - MARK - 3), (x + MARK + 3, y), (x, y + MARK + 3), (x - MARK - 3, y))
    draw.polygon(corners, None, INK, 3)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
