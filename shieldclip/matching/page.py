"""A matching as one self-contained HTML page: nothing is loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from PIL import Image

from shieldclip.data.decode import decode, image_name
from shieldclip.data.source import Source
from shieldclip.matching import histogram as chart
from shieldclip.matching.judge import Matching
from shieldclip.matching.plan import Plan, WordFlow, transport_plan
from shieldclip.matching.summary import Summary, facts, headline
from shieldclip.pages import png_uri
from shieldclip.pages import render_page as render_template
from shieldclip.types import Encoder

SHOWN = 24
"""Pairs shown as pictures."""
_SIDE = 192  # pixels of a picture on the page


@dataclass(frozen=True)
class RiskyPair:
    """One of the pairs that are most at risk."""

    row: int
    image: str
    """PNG data URI."""
    caption: str
    new_caption: str
    own: str
    best: str
    gap: str
    risk: str
    decision: str
    poisoned: bool | None


@dataclass(frozen=True)
class Cell:
    """A square over the picture."""

    x: int
    y: int
    opacity: str


@dataclass(frozen=True)
class DrawnPlan:
    """A plan over the picture, a small picture a word."""

    title: str
    plan: Plan
    words: tuple[tuple[WordFlow, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Subject:
    """The pair whose plans are drawn."""

    pair: RiskyPair
    side: int
    """Patches a row."""
    plans: tuple[DrawnPlan, ...]


def render_page(source: Source, encoder: Encoder, matching: Matching, summary: Summary) -> str:
    """The whole page."""
    riskiest = risky_pairs(source, matching.table)
    return render_template(
        "shieldclip.matching",
        title=headline(summary),
        summary=summary,
        facts=facts(summary),
        chart=chart,
        histogram=chart.histogram(matching),
        riskiest=riskiest,
        subject=_subject(source, encoder, riskiest, summary) if riskiest else None,
    )


def risky_pairs(source: Source, table: pa.Table, limit: int = SHOWN) -> list[RiskyPair]:
    """Pairs of the highest risk and, where that is equal, the widest gap; every row once.

    Those without a gap are left out: nothing fits them better than their own caption.
    """
    row, risk, gap = (table[name].to_numpy() for name in ("row", "risk", "gap"))
    chosen: dict[int, int] = {}
    for place in np.lexsort((-gap, -risk)).tolist():
        if len(chosen) == limit:
            break
        if gap[place] > 0:
            chosen.setdefault(int(row[place]), place)
    return [_risky(source, table.slice(place, 1).to_pylist()[0]) for place in chosen.values()]


def _risky(source: Source, pair: dict[str, object]) -> RiskyPair:
    row = int(str(pair["row"]))
    cell = source.rows[row]["image"]
    image = decode(cell, image_name(cell, row))
    image.thumbnail((_SIDE, _SIDE))
    return RiskyPair(
        row=row,
        image=png_uri(image),
        caption=str(pair["caption"]),
        new_caption=str(pair["new_caption"]),
        own=_figure(pair["own_distance"]),
        best=_figure(pair["best_distance"]),
        gap=_figure(pair["gap"]),
        risk=_figure(pair["risk"]),
        decision=str(pair["decision"]),
        poisoned=bool(pair["poisoned"]) if "poisoned" in pair else None,
    )


def _figure(value: object) -> str:
    """Infinite distances are those of captions without a word."""
    return f"{value:.3f}".replace("inf", "∞")


def _subject(
    source: Source, encoder: Encoder, riskiest: Sequence[RiskyPair], summary: Summary
) -> Subject | None:
    """The plans of the riskiest pair; ``None`` where patches form no square."""
    pair = riskiest[0]
    cell = source.rows[pair.row]["image"]
    pixels = encoder.preprocess(decode(cell, image_name(cell, pair.row)))
    captions = {"Its own caption": pair.caption, "The new caption": pair.new_caption}
    plans = {
        title: transport_plan(encoder, pixels, caption, summary.settings)
        for title, caption in captions.items()
    }
    drawn = {title: plan for title, plan in plans.items() if plan is not None and plan.words}
    if not drawn:
        return None
    patches = len(next(iter(drawn.values())).words[0].patches)
    side = math.isqrt(patches)
    if side * side != patches:
        return None
    image = png_uri(Image.fromarray(pixels.permute(1, 2, 0).numpy()))
    shown = RiskyPair(**{**vars(pair), "image": image})
    return Subject(shown, side, tuple(_draw(title, plan, side) for title, plan in drawn.items()))


def _draw(title: str, plan: Plan, side: int) -> DrawnPlan:
    """One scale for all words of a caption."""
    darkest = max(float(flow.patches.max()) for flow in plan.words)
    return DrawnPlan(
        title,
        plan,
        tuple(
            (
                flow,
                tuple(
                    Cell(place % side, place // side, f"{share / darkest:.2f}")
                    for place, share in enumerate(flow.patches.tolist())
                    if share / darkest >= 0.02
                ),
            )
            for flow in plan.words
        ),
    )
