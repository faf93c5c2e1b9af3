"""The histogram's numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.matching import Matching, split
from shieldclip.matching.histogram import BOTTOM, LEFT, RIGHT, TOP, histogram


def matching(gaps: list[float | None], poisoned: list[bool] | None = None) -> Matching:
    values = np.array([np.nan if gap is None else gap for gap in gaps])
    found = split(values)
    columns = {
        "gap": pa.array(gaps, pa.float32()),
        "decision": ["drop" if risk >= 0.5 else "keep" for risk in found.risk],
    }
    if poisoned is not None:
        columns["poisoned"] = poisoned
    return Matching(pa.table(columns), found, (), None)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 2, width=32), min_size=1, max_size=40))
def test_everything_lies_inside_the_axes(gaps):
    drawn = histogram(matching(gaps))
    for bar in drawn.bars:
        assert bar.x >= LEFT
        assert bar.x + bar.width <= RIGHT
        assert bar.y >= TOP - 1e-6
        assert bar.y + bar.height == pytest.approx(BOTTOM)
    assert 2 <= len(drawn.x_ticks) <= 8
    assert all(LEFT <= tick.at <= RIGHT + 1e-6 for tick in drawn.x_ticks)


def test_known_poisons_are_marked_else_distrusted_pairs():
    gaps = [0.0] * 30 + [0.4] * 5
    known = histogram(matching(gaps, [True] + [False] * 34))
    assert known.groups[1] == "poisoned pairs"
    assert [bar.x < LEFT + 50 for bar in known.bars if bar.marked] == [True]
    guessed = histogram(matching(gaps))
    assert guessed.groups[1] == "distrusted pairs"
    assert [bar.x > LEFT + 50 for bar in guessed.bars if bar.marked] == [True]
    assert guessed.threshold is not None
    assert len(guessed.curves) == 2


def test_nothing_finite_is_not_drawn():
    assert histogram(matching([None, float("inf")])) is None
