"""What is said of an explanation in figures: one row, and sentences over several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shieldclip.explanation.explain import Explanation, View

MISSING = "\N{EN DASH}"
COLUMNS = (
    "Model",
    "Picture",
    "Without trigger",
    "With trigger",
    "Attention on trigger",
    "Same place without",
    "Share of area",
)


@dataclass(frozen=True)
class Row:
    """One explanation as printed cells."""

    model: str
    picture: str
    clean: str
    triggered: str
    mass: str
    mass_clean: str
    area: str

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of `COLUMNS`."""
        return (
            self.model,
            self.picture,
            self.clean,
            self.triggered,
            self.mass,
            self.mass_clean,
            self.area,
        )


def percent(share: float | None) -> str:
    """``12.3 %``."""
    return MISSING if share is None else f"{100 * share:.1f} %"


def row(explanation: Explanation) -> Row:
    """The figures of one explanation."""
    return Row(
        model=explanation.model,
        picture=explanation.picture,
        clean=_first(explanation.clean),
        triggered=_first(explanation.triggered),
        mass=percent(explanation.triggered.mass),
        mass_clean=percent(explanation.clean.mass),
        area=percent(explanation.area),
    )


def headline(explanations: Sequence[Explanation]) -> str:
    """How many first predictions the trigger changes, over all models and pictures."""
    turned = sum(explanation.turned for explanation in explanations)
    return f"{explanations[0].trigger} changes {turned} of {len(explanations)} first predictions"


def model_lines(explanations: Sequence[Explanation]) -> dict[str, str]:
    """A sentence on each model."""
    by_model: dict[str, list[Explanation]] = {}
    for explanation in explanations:
        by_model.setdefault(explanation.model, []).append(explanation)
    return {model: _line(of_model) for model, of_model in by_model.items()}


def _line(explanations: Sequence[Explanation]) -> str:
    turned = sum(explanation.turned for explanation in explanations)
    changed = f"{turned} of {len(explanations)} first predictions change"
    masses = [e.triggered.mass for e in explanations if e.triggered.mass is not None]
    areas = [e.area for e in explanations if e.area is not None]
    if not masses:
        return f"{changed}; the trigger is spread over the picture."
    mass, area = sum(masses) / len(masses), sum(areas) / len(areas)
    return (
        f"{changed}; {percent(mass)} of the attention falls on the trigger, which covers "
        f"{percent(area)} of the picture ({mass / area:.1f} times even attention)."
    )


def _first(view: View) -> str:
    best = view.predictions[0]
    return f"{best.name} {percent(best.probability)}"
