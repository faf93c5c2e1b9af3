"""Success of an attack against clean accuracy, a point a recipe: good ones lie bottom right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.leaderboard.pareto import unbeaten
from shieldclip.evaluation.pages import svg
from shieldclip.evaluation.pages.accuracy_scatter import letter

WIDTH, HEIGHT = 400, 312
LEFT, RIGHT, TOP, BOTTOM = 52, 376, 26, 260
STEP = 0.05
"""Between the lines of the accuracy axis, and the least room beside the points."""
HEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
APART = 15
"""Letters of points that lie closer than this are moved apart."""


@dataclass(frozen=True)
class Candidate:
    """One recipe; a value of each figure for every seed."""

    letter: str
    recipe: str
    accuracy: tuple[float, ...]
    success: tuple[float, ...]

    @property
    def mean(self) -> tuple[float, float]:
        """Accuracy and success."""
        return sum(self.accuracy) / len(self.accuracy), sum(self.success) / len(self.success)


def candidates(
    found: Sequence[tuple[str, Sequence[float], Sequence[float]]],
) -> list[Candidate]:
    """Letters for (recipe, accuracy, success)."""
    return [
        Candidate(letter(i), recipe, tuple(accuracy), tuple(success))
        for i, (recipe, accuracy, success) in enumerate(found)
    ]


def front(found: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other one equals in both means and beats in one; the least accurate first."""
    return unbeaten(found, lambda candidate: candidate.mean)


def pareto(name: str, found: Sequence[Candidate], best: Sequence[Candidate]) -> Markup:
    """The chart: means as large marks, seeds as small ones; a line joins the front.

    Args:
        name: unique on the page.
        found: at least one recipe.
        best: the front; of some recipes there always is one.
    """
    accuracies = [value for c in found for value in c.accuracy]
    low = STEP * math.floor(min(accuracies) / STEP - 0.2)
    high = STEP * math.ceil(max(accuracies) / STEP + 0.2)
    share = svg.scale(LEFT, RIGHT)
    y = svg.scale(BOTTOM, TOP)

    def x(value: float) -> float:
        return share((value - low) / (high - low))

    return svg.drawing(
        name,
        "Success of the attack against clean accuracy",
        "; ".join(map(_spoken, found)) + ".",
        *_grid(low, high, x, y),
        svg.staircase([(x(c.mean[0]), y(c.mean[1])) for c in best], LEFT, TOP),
        *(mark for c in found for mark in _marks(c, c in best, x, y)),
        *_letters(found, x, y),
        width=WIDTH,
        height=HEIGHT,
    )


def _grid(low: float, high: float, x: svg.Scale, y: svg.Scale) -> list[Markup]:
    lines = [low + STEP * i for i in range(round((high - low) / STEP) + 1)]
    middle = (TOP + BOTTOM) / 2
    marks: list[Markup] = []
    for value in HEIGHTS:
        marks.append(svg.line(LEFT, y(value), RIGHT, y(value), "grid" if value else "axis"))
        marks.append(svg.text(f"{100 * value:.0f}", LEFT - 8, y(value) + 4, "tick", "end"))
    for value in lines:
        marks.append(svg.line(x(value), y(0), x(value), y(1), "grid"))
        marks.append(svg.text(f"{100 * value:.0f}", x(value), BOTTOM + 18, "tick", "middle"))
    side = f"translate(12 {middle:g}) rotate(-90)"
    return [
        *marks,
        svg.text("Clean accuracy CA@1, %", (LEFT + RIGHT) / 2, HEIGHT - 12, "tick", "middle"),
        svg.tag("text", "Success, %", transform=side, class_="tick", text_anchor="middle"),
    ]


def _marks(c: Candidate, best: bool, x: svg.Scale, y: svg.Scale) -> list[Markup]:
    seeds = [
        svg.circle(x(accuracy), y(success), "seed", r=2)
        for accuracy, success in zip(c.accuracy, c.success, strict=True)
    ]
    return [*seeds, svg.circle(x(c.mean[0]), y(c.mean[1]), "point best" if best else "point", r=5)]


def _letters(found: Sequence[Candidate], x: svg.Scale, y: svg.Scale) -> list[Markup]:
    """Above each point, or higher where another letter stands there already."""
    placed: list[tuple[float, float]] = []
    marks = []
    for c in sorted(found, key=lambda c: c.mean[1]):
        left, height = x(c.mean[0]), y(c.mean[1]) - 9
        while any(abs(x0 - left) < APART and abs(y0 - height) < APART for x0, y0 in placed):
            height -= APART
        placed.append((left, height))
        marks.append(svg.text(c.letter, left, height, "letter", "middle"))
    return marks


def _spoken(c: Candidate) -> str:
    accuracy, success = map(percent, c.mean)
    return f"{c.letter}, {c.recipe}: clean accuracy {accuracy} %, success {success} %"
