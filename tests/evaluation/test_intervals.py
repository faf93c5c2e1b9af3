from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from shieldclip.evaluation.metrics.intervals import (
    bonferroni,
    bootstrap_mean,
    bootstrap_median,
    newcombe,
    wilson,
)

shares = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, st.sampled_from([0.9, 0.95, 0.9995]))
def test_wilson_equals_scipy(share, confidence):
    hits, n = share
    ours = wilson(hits, n, confidence)
    theirs = binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= ours.low <= ours.value <= ours.high <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(hits, n):
    with pytest.raises(ValueError, match="hits"):
        wilson(hits, n)


# Table II of Newcombe 1998 (Statistics in Medicine 17:873-890), method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_newcombe_equals_the_published_table(first, second, low, high):
    a, b = wilson(*first), wilson(*second)
    value, *bounds = newcombe(a.value, a.low, a.high, b.value, b.low, b.high)
    assert value == pytest.approx(a.value - b.value)
    assert bounds == pytest.approx([low, high], abs=5e-5)


@given(shares, shares)
def test_newcombe_holds_the_difference_and_is_antisymmetric(first, second):
    a, b = wilson(*first), wilson(*second)
    value, low, high = newcombe(a.value, a.low, a.high, b.value, b.low, b.high)
    assert -1 - 1e-12 <= low <= value <= high <= 1 + 1e-12
    swapped = newcombe(b.value, b.low, b.high, a.value, a.low, a.high)
    assert swapped == pytest.approx((-value, -high, -low))


def test_bonferroni_widens_every_interval():
    assert bonferroni(1) == pytest.approx(0.95)
    assert bonferroni(100) == pytest.approx(0.9995)
    assert wilson(5, 50, bonferroni(100)).low < wilson(5, 50).low


def test_bootstrap_mean_has_the_width_of_the_normal_interval():
    values = np.random.default_rng(3).integers(1, 100, size=4000)
    estimate = bootstrap_mean(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert estimate.value == pytest.approx(values.mean())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half, rel=0.1)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(0, 5))
def test_bootstrap_is_deterministic_and_stays_within_the_data(values, seed):
    array = np.array(values)
    for bootstrap in (bootstrap_mean, bootstrap_median):
        estimate = bootstrap(array, seed)
        assert estimate == bootstrap(array, seed)
        assert min(values) <= estimate.low <= estimate.high <= max(values)
    assert bootstrap_median(array, seed).value == np.median(array)
