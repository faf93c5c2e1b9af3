"""`benchmarks/costs/goals.py`: a verdict follows from the figure, and nothing printed denies it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from costs.goals import Goal, to_markdown
from costs.numbers import ratio, significant

FIGURES = st.floats(1e-3, 1e6)
GOALS = st.builds(
    Goal, st.just("Speed"), FIGURES, st.sampled_from([0.15, 1.01, 1.5, 8.0, 400.0]),
    st.booleans(), st.just("times"),
)  # fmt: skip


@given(goal=GOALS, beyond=st.floats(1e-9, 1e3))
def test_a_figure_beyond_the_bound_flips_the_verdict(goal, beyond):
    above = replace(goal, figure=goal.bound * (1 + beyond))
    below = replace(goal, figure=goal.bound / (1 + beyond))
    assert above.met == goal.at_least
    assert below.met != above.met
    assert {above.verdict, below.verdict} == {"met", "missed"}
    assert replace(goal, figure=goal.bound).met


@given(goal=GOALS, beyond=st.sampled_from([0.0, 1e-2, 1e-4, 1e-9, -1e-9, -1e-4, -1e-2]))
def test_a_printed_figure_is_on_the_side_of_the_bound_that_the_verdict_says(goal, beyond):
    for figure in (goal.figure, goal.bound * (1 + beyond)):
        near = replace(goal, figure=figure)
        shown = near.measured.removesuffix(" times").replace(",", "")
        assert near.met_by(float(shown)) == near.met
        assert float(shown) == pytest.approx(figure, rel=0.01)


def test_what_is_missed_stands_out():
    text = to_markdown([Goal("A", 2.0, 1.5), Goal("B", 1.0, 1.5, unit="s"), Goal("C", None, 1.5)])
    assert "1 of 3 are met." in text
    assert "| A | at most 1.5 | 2.00 | **missed** |" in text
    assert "| B | at most 1.5 s | 1.00 s | met |" in text
    assert "| C | at most 1.5 | \N{EN DASH} | **not measured** |" in text


def test_numbers_keep_their_size():
    assert [significant(value) for value in (0.0207, 1.4236, 301.1, 1372.3, 0.0)] == [
        "0.0207", "1.42", "301", "1,372", "0.00",
    ]  # fmt: skip
    assert [ratio(value) for value in (1.005, -0.049, -0.001, None)] == [
        "1.00", "\N{MINUS SIGN}0.05", "0.00", "\N{EN DASH}",
    ]  # fmt: skip
