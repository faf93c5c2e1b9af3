"""Attack success of every trigger as bars with whiskers and control marks, one chart a model."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shieldclip.evaluation.attack_rows import AttackRow
from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.pages import svg

WIDTH, ROW, TOP, BOTTOM = 400, 26, 8, 24
LABELS, VALUES = 148, 46
"""Room left of the plot for triggers and right of it for figures."""
BAR = 12
TICKS = (0, 0.25, 0.5, 0.75, 1)
LABEL_LENGTH = 17


def asr_bars(name: str, model: str, rows: Sequence[AttackRow]) -> Markup:
    """One chart.

    Args:
        name: unique on the page.
        model: whose attacks these are.
        rows: one attack a bar, from top to bottom.
    """
    x = svg.scale(LABELS, WIDTH - VALUES)
    height = TOP + ROW * len(rows) + BOTTOM
    bars = (
        mark
        for i, row in enumerate(rows)
        for mark in _bar(row, x, TOP + ROW * (i + 0.5), _label(row, rows))
    )
    return svg.drawing(
        name,
        f"Attack success rate per trigger on {model}",
        "; ".join(_spoken(row) for row in rows) + ".",
        *_grid(x, height - BOTTOM),
        *bars,
        width=WIDTH,
        height=height,
    )


def _grid(x: svg.Scale, bottom: float) -> list[Markup]:
    lines = [svg.line(x(t), TOP, x(t), bottom, "grid" if t else "axis") for t in TICKS]
    return lines + [
        svg.text(f"{t:.0%}".replace("%", " %"), x(t), bottom + 16, "tick", "middle") for t in TICKS
    ]


def _bar(row: AttackRow, x: svg.Scale, y: float, label: str) -> list[Markup]:
    asr, strong = row.asr, row.excess is not None and row.excess.low > 0
    level = " strong" if strong else ""
    width = x(asr.value) - x(0)
    marks = [
        svg.tag(
            "text",
            svg.tag("title", label),
            svg.clipped(label, LABEL_LENGTH),
            x=LABELS - 8,
            y=y + 4,
            class_=f"label{level}",
            text_anchor="end",
        ),
        svg.tag("rect", x=x(0), y=y - BAR / 2, width=width, height=BAR, class_=f"bar{level}"),
        svg.whisker(x(asr.low), x(asr.high), y),
        svg.text(percent(asr.value), WIDTH, y + 4, f"value{level}", "end"),
    ]
    if row.control:
        marks.append(svg.circle(x(row.control.value), y, "control"))
    if row.control_trigger:
        marks.append(svg.diamond(x(row.control_trigger.value), y, "control-trigger"))
    return marks


def _label(row: AttackRow, rows: Sequence[AttackRow]) -> str:
    trigger, target = row.asr.trigger or "no trigger", row.asr.target
    several = len({other.asr.target for other in rows}) > 1
    return f"{trigger} → {target}" if several and target else trigger


def _spoken(row: AttackRow) -> str:
    control = max((c.value for c in (row.control, row.control_trigger) if c), default=None)
    beside = "" if control is None else f" against {percent(control)} % in its control"
    return f"{row.asr.trigger or 'no trigger'}: {percent(row.asr.value)} %{beside}"
