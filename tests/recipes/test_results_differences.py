"""Which recipe beats which: fronts and significance, from made-up reports."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results.attacked import join
from results.pareto import candidates, front, pareto
from results.significance import fisher, holm, paired, significance
from scipy import stats
from test_results import RUNS, backdoor, clean, rows_of, share

shares = st.floats(0, 1, allow_subnormal=False)
points = st.lists(st.tuples(shares, shares), min_size=1, max_size=8)


@given(points)
def test_the_front_is_what_no_other_recipe_beats(means):
    found = candidates([(f"r{i}", [ca], [asr]) for i, (ca, asr) in enumerate(means)])
    best = front(found)
    assert best, "someone is always unbeaten"
    for c in found:
        better = any(
            o.mean != c.mean and o.mean[0] >= c.mean[0] and o.mean[1] <= c.mean[1] for o in found
        )
        assert (c in best) != better
    assert [c.mean for c in best] == sorted(c.mean for c in best)


@given(points)
def test_every_mark_and_letter_lies_within_the_drawing(means):
    found = candidates([(f"r{i}", [ca], [asr]) for i, (ca, asr) in enumerate(means)])
    chart = pareto("p", found, front(found))
    assert chart.count('class="seed"') == len(found)
    for c in found:
        assert f">{c.letter}</text>" in chart
        assert f"{c.letter}, {c.recipe}: clean accuracy" in chart


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_p_and_bonferroni(p):
    adjusted = holm(p)
    for raw, corrected in zip(p, adjusted, strict=True):
        assert raw <= corrected <= min(1.0, raw * len(p)) + 1e-12
    order = np.argsort(p, kind="stable")
    assert all(np.diff(np.asarray(adjusted)[order]) >= 0)


def test_holm_on_a_worked_example():
    # Smallest times four; then times three; the third is held up to the second; last times one.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_fisher_tells_what_counts_can_tell():
    assert fisher(share("asr", 0), share("asr", 3)) > 0.2
    assert fisher(share("asr", 0), share("asr", 14)) < 0.001
    assert fisher(share("psr", 0, n=8), share("psr", 8, n=8)) == pytest.approx(2 / 12870)


def test_paired_differences_are_a_t_test():
    differences = [0.011, 0.004, 0.009]
    bounds, p = paired(differences)
    assert p == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue)
    assert bounds[0] < 0.008 < bounds[1]
    assert paired([0.01]) == (None, None)
    assert paired([0.01, 0.01]) == (None, None), "no spread to judge by"


def test_differences_are_those_of_equal_seeds():
    rows, _ = rows_of([*RUNS, backdoor("late", 7, 990, 400)], "Differences from shield")
    by_recipe = {row["Recipe"]: row for row in rows}
    assert set(by_recipe) == {"plain", "dear", "weak"}, "late shares no seed with shield"
    assert by_recipe["plain"]["Success, points"] == "95.8"
    assert by_recipe["plain"]["Seeds"] == "2"
    assert by_recipe["dear"]["CA@1, points"].startswith("\N{MINUS SIGN}1.3 [")


def test_a_difference_counts_only_where_every_seed_has_it():
    table = significance(join(RUNS), "shield")
    strong = {str(row[2]): row[4].strong for row in table.rows}
    # weak equals shield in seed 0 and fails in seed 1 only.
    assert strong == {"plain": True, "dear": False, "weak": False}


def test_nothing_to_compare_is_no_table():
    assert not significance(join([clean(0, 500), backdoor("plain", 0, 990, 505)]), "shield").rows
