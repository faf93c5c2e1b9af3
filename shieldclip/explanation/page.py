"""Explanations as one self-contained HTML page: nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation.explain import Explanation
from shieldclip.explanation.figures import COLUMNS, headline, model_lines, percent, row
from shieldclip.explanation.heat import hottest
from shieldclip.explanation.panels import Panel, panels_of
from shieldclip.pages import render_page as render_template


@dataclass(frozen=True)
class Block:
    """One explanation as the page shows it."""

    explanation: Explanation
    area: str
    panels: tuple[Panel, Panel]


@dataclass(frozen=True)
class Section:
    """One picture through all models."""

    picture: str
    label: str
    top: str
    """Attention that the darkest colour stands for, in multiples of even attention."""
    blocks: tuple[Block, ...]


def render_page(explanations: Sequence[Explanation]) -> str:
    """The whole page.

    Args:
        explanations: of one trigger; models and pictures in any order.

    Raises:
        ShieldCLIPError: there are none.
    """
    if not explanations:
        raise ShieldCLIPError(
            "Expected at least one explanation to show, got none; name a picture."
        )
    return render_template(
        "shieldclip.explanation",
        filters={"percent": percent},
        title=headline(explanations),
        lines=model_lines(explanations),
        warnings={e.model: e.warning for e in explanations if e.warning},
        trigger=explanations[0].trigger,
        sections=_sections(explanations),
        columns=COLUMNS,
        rows=[row(explanation).cells for explanation in explanations],
        place=any(e.mask is not None for e in explanations),
        knowledge=any(v.alignment for e in explanations for v in (e.clean, e.triggered)),
    )


def by_picture(explanations: Sequence[Explanation]) -> dict[str, list[Explanation]]:
    """Explanations of the same picture together, in the order given."""
    grouped: dict[str, list[Explanation]] = {}
    for explanation in explanations:
        grouped.setdefault(explanation.picture, []).append(explanation)
    return grouped


def _sections(explanations: Sequence[Explanation]) -> list[Section]:
    sections = []
    for picture, found in by_picture(explanations).items():
        top = hottest(found)
        blocks = tuple(_block(explanation, top) for explanation in found)
        sections.append(Section(picture, found[0].label, f"{top:.1f}", blocks))
    return sections


def _block(explanation: Explanation, top: float) -> Block:
    return Block(explanation, percent(explanation.area), panels_of(explanation, top))
