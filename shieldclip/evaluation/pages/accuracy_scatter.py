"""Clean accuracy against the worst attack, one point a model: good models lie bottom right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shieldclip.evaluation.attack_rows import AttackRow
from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.pages import svg
from shieldclip.evaluation.report import EvalReport, Measurement

WIDTH, HEIGHT = 400, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 376, 12, 268
TICKS = (0, 0.25, 0.5, 0.75, 1)
LETTER_HEIGHT = 15
"""Letters of points that lie closer than this are moved apart."""
CAPITAL = 11
"""Room that a letter takes above its baseline."""


@dataclass(frozen=True)
class Point:
    """One model."""

    letter: str
    model: str
    accuracy: Measurement
    worst: Measurement


def points(report: EvalReport, attacks: Sequence[AttackRow]) -> tuple[Point, ...]:
    """One point per model with both figures on the report's first data set."""
    accuracy = {m.model: m for m in report.select("ca@1", data=report.data.name)}
    worst: dict[str, AttackRow] = {}
    for row in attacks:
        model = row.asr.model
        if row.asr.data == report.data.name and (
            model not in worst or row.severity > worst[model].severity
        ):
            worst[model] = row
    both = [m.name for m in report.models if m.name in accuracy and m.name in worst]
    return tuple(
        Point(letter(i), model, accuracy[model], worst[model].asr) for i, model in enumerate(both)
    )


def accuracy_scatter(name: str, found: Sequence[Point], front: Sequence[Point] = ()) -> Markup:
    """The chart; letters are explained in the text beside it.

    Args:
        name: unique on the page.
        found: the models.
        front: those that no other one beats, the least accurate first; a line joins them.
    """
    x, y = svg.scale(LEFT, RIGHT), svg.scale(BOTTOM, TOP)
    marks = [mark for point in found for mark in _point(point, point in front, x, y)]
    return svg.drawing(
        name,
        "Attack success rate against clean accuracy",
        "; ".join(_spoken(point) for point in found) + ".",
        *_grid(x, y),
        *([svg.staircase(_places(front, x, y), LEFT, TOP)] if front else []),
        *marks,
        *_letters(found, x, y),
        width=WIDTH,
        height=HEIGHT,
    )


def _grid(x: svg.Scale, y: svg.Scale) -> list[Markup]:
    grid: list[Markup] = []
    for t in TICKS:
        label = f"{100 * t:.0f}"
        grid += [
            svg.line(x(t), y(0), x(t), y(1), "grid" if t else "axis"),
            svg.line(x(0), y(t), x(1), y(t), "grid" if t else "axis"),
            svg.text(label, x(t), BOTTOM + 18, "tick", "middle"),
            svg.text(label, LEFT - 8, y(t) + 4, "tick", "end"),
        ]
    middle = (TOP + BOTTOM) / 2
    return [
        *grid,
        svg.text("Clean accuracy CA@1, %", (LEFT + RIGHT) / 2, HEIGHT - 12, "tick", "middle"),
        svg.tag(
            "text",
            "ASR of the worst attack, %",
            transform=f"translate(12 {middle:g}) rotate(-90)",
            class_="tick",
            text_anchor="middle",
        ),
    ]


def _places(found: Sequence[Point], x: svg.Scale, y: svg.Scale) -> list[tuple[float, float]]:
    return [(x(point.accuracy.value), y(point.worst.value)) for point in found]


def _point(point: Point, best: bool, x: svg.Scale, y: svg.Scale) -> list[Markup]:
    ca, asr = point.accuracy, point.worst
    return [
        svg.whisker(x(ca.low), x(ca.high), y(asr.value)),
        svg.upright_whisker(x(ca.value), y(asr.low), y(asr.high)),
        svg.circle(x(ca.value), y(asr.value), "point best" if best else "point", r=4.5),
    ]


def _letters(found: Sequence[Point], x: svg.Scale, y: svg.Scale) -> list[Markup]:
    """A letter to the right of each point; where several would meet, they move to the middle."""
    high = sorted((p for p in found if p.worst.value > 0.5), key=lambda p: -p.worst.value)
    low = sorted((p for p in found if p.worst.value <= 0.5), key=lambda p: p.worst.value)
    return [*_stacked(high, 1, x, y), *_stacked(low, -1, x, y)]


def _stacked(found: Sequence[Point], way: int, x: svg.Scale, y: svg.Scale) -> list[Markup]:
    """Letters of points from an edge inwards; ``way`` is 1 downwards, -1 upwards."""
    placed: list[tuple[float, float]] = []
    for point in found:
        left = x(point.accuracy.value)
        near = [height for other, height in placed if abs(other - left) < LETTER_HEIGHT]
        height = max(y(point.worst.value) - 6, CAPITAL)
        steps = [height * way, *(h * way + LETTER_HEIGHT for h in near)]
        placed.append((left, max(steps) * way))
    return [
        svg.text(point.letter, left + 7, height, "letter")
        for point, (left, height) in zip(found, placed, strict=True)
    ]


def letter(i: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    return (letter(i // 26 - 1) if i >= 26 else "") + chr(ord("A") + i % 26)


def _spoken(point: Point) -> str:
    ca, asr = percent(point.accuracy.value), percent(point.worst.value)
    return f"{point.letter}, {point.model}: clean accuracy {ca} %, worst attack {asr} %"
