"""Risks from gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import split


def skewed(rng: np.random.Generator, count: int) -> np.ndarray:
    """As of a good model: many zeros, and a tail."""
    return np.where(rng.random(count) < 0.45, 0, np.abs(rng.normal(0, 0.04, count)))


@pytest.mark.parametrize("poisoned", [5, 60, 300])
def test_far_gaps_are_told_from_a_heap_at_zero(poisoned):
    rng = np.random.default_rng(0)
    gaps = np.concatenate([skewed(rng, 700), rng.normal(0.4, 0.05, poisoned)])
    found = split(gaps)
    assert found.distinct
    assert (found.risk[700:] > 0.5).all()
    assert (found.risk[:700] > 0.5).mean() < 0.01
    assert 0.1 < found.threshold < 0.3
    assert found.suspicious.mean == pytest.approx(0.4, abs=0.03)
    assert found.trusted.weight + found.suspicious.weight == pytest.approx(1)


def test_wide_suspicious_component_takes_its_own_variance():
    rng = np.random.default_rng(0)
    poisons = np.clip(rng.normal(0.35, 0.1, 60), 0.12, None)
    gaps = np.concatenate([skewed(rng, 700), poisons])
    found = split(gaps)
    assert found.suspicious.deviation > 2 * found.trusted.deviation
    assert (found.risk[700:] > 0.5).mean() > 0.9


@pytest.mark.parametrize("draw", ["skewed", "half normal", "normal", "uniform"])
def test_one_hump_is_left_alone(draw):
    rng = np.random.default_rng(0)
    gaps = {
        "skewed": skewed(rng, 2000),
        "half normal": np.abs(rng.normal(size=2000)),
        "normal": rng.normal(5, 1, 2000),
        "uniform": rng.random(2000),
    }[draw]
    found = split(gaps)
    assert not found.distinct
    assert (found.risk == 0).all()
    assert found.threshold == np.inf
    assert found.trusted is not None


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(0, 2, width=32), min_size=0, max_size=60),
    st.lists(st.floats(3, 4, width=32), min_size=0, max_size=20),
    st.randoms(use_true_random=False),
)
def test_risk_is_a_share_that_never_falls_with_the_gap(low, high, random):
    gaps = [*low, *high]
    random.shuffle(gaps)
    found = split(gaps)
    assert ((found.risk >= 0) & (found.risk <= 1)).all()
    assert (np.diff(found.risk[np.argsort(gaps)]) >= 0).all()
    if np.isfinite(found.threshold):
        reached = found.risk >= 0.5
        beyond = np.abs(np.asarray(gaps) - found.threshold) > 1e-3
        assert (reached == (np.asarray(gaps) >= found.threshold))[beyond].all()


def test_a_higher_level_distrusts_fewer():
    rng = np.random.default_rng(0)
    gaps = np.concatenate([skewed(rng, 500), rng.normal(0.3, 0.08, 50)])
    thresholds = [split(gaps, level=level).threshold for level in (0.1, 0.5, 0.99)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[2]


@pytest.mark.parametrize("gaps", [[], [0.3], [0.0] * 50, [0.2] * 50, [0.1, 0.9] * 4])
def test_nothing_to_fit_is_no_risk(gaps):
    found = split(gaps)
    assert found.trusted is None
    assert found.separation == 0
    assert (found.risk == 0).all()


def test_gaps_without_a_number_are_not_fitted():
    rng = np.random.default_rng(0)
    gaps = np.concatenate([skewed(rng, 300), rng.normal(0.4, 0.05, 30)])
    found = split([*gaps, np.inf, np.nan])
    assert found.risk[-2] == 1
    assert np.isnan(found.risk[-1])
    np.testing.assert_array_equal(found.risk[:-2], split(gaps).risk)


def test_wrong_input_is_refused():
    with pytest.raises(ShieldCLIPError, match=r"shape \[N\]"):
        split([[0.1, 0.2]])
    with pytest.raises(ShieldCLIPError, match="level"):
        split([0.1, 0.2], level=0)
