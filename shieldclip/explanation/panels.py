"""One explanation as pages show it: a panel without and a panel with the trigger."""

from __future__ import annotations

from dataclasses import dataclass

from shieldclip.explanation.explain import Explanation, View
from shieldclip.explanation.figures import percent
from shieldclip.explanation.heat import attention_picture, knowledge_picture, plain
from shieldclip.pages import png_uri


@dataclass(frozen=True)
class Panel:
    """One view as the page shows it; pictures are PNG data URIs."""

    title: str
    view: View
    mass: str
    image: str
    attention: str
    knowledge: str
    """``""`` where nothing is known."""
    elements: tuple[tuple[str, str], ...]
    """Phrases and their cosines to the patch that fits best."""


def panels_of(explanation: Explanation, top: float) -> tuple[Panel, Panel]:
    """Both views.

    Args:
        explanation: of one picture by one model.
        top: attention of a patch, in multiples of even attention, that gets the darkest colour.
    """
    return (
        _panel("Without trigger", explanation, explanation.clean, top),
        _panel(f"With {explanation.trigger}", explanation, explanation.triggered, top),
    )


def _panel(title: str, explanation: Explanation, view: View, top: float) -> Panel:
    aligned = view.alignment
    knowledge = knowledge_picture(explanation, view)
    best = aligned.cosines.amax(dim=1).tolist() if aligned else []
    return Panel(
        title=title,
        view=view,
        mass=percent(view.mass),
        image=png_uri(plain(view)),
        attention=png_uri(attention_picture(explanation, view, top)),
        knowledge=png_uri(knowledge) if knowledge else "",
        elements=tuple(
            (phrase, f"{cosine:.2f}")
            for phrase, cosine in zip(aligned.elements if aligned else (), best, strict=True)
        ),
    )
