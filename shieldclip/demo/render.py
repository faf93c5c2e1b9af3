"""Two explanations of one picture as HTML, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from shieldclip.explanation import Explanation
from shieldclip.explanation.figures import percent
from shieldclip.explanation.heat import hottest
from shieldclip.explanation.panels import Panel, panels_of

STYLE = "style.css"


@dataclass(frozen=True)
class Side:
    """One model as the page shows it."""

    role: str
    explanation: Explanation
    panels: tuple[Panel, Panel]

    @property
    def verdict(self) -> str:
        """What the trigger does to the first prediction."""
        before, after = (
            view.predictions[0].name
            for view in (self.explanation.clean, self.explanation.triggered)
        )
        if self.explanation.turned:
            return f"{self.explanation.trigger} turns {before} into {after}"
        return f"with {self.explanation.trigger}, {before} stays {after}"


def render_sides(roles: Sequence[str], explanations: Sequence[Explanation]) -> str:
    """HTML without a frame around it; everything shown is escaped, pictures are data URIs.

    Args:
        roles: what each model is called, e.g. ``Plain``.
        explanations: of one picture, one for each role; colours share one scale.
    """
    top = hottest(explanations)
    sides = [
        Side(role, explanation, panels_of(explanation, top))
        for role, explanation in zip(roles, explanations, strict=True)
    ]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    template = environment.from_string(read_text("sides.html.j2"))
    return template.render(sides=sides, top=f"{top:.1f}")


def read_text(name: str) -> str:
    """A template or style of this room."""
    return files("shieldclip.demo").joinpath(name).read_text(encoding="utf-8")
