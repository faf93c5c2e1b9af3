"""The order of suspicion, and knowledge ranks against a plain loop."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.adversary.choice.knowledge import knowledge_rank
from shieldclip.adversary.choice.suspicion import Verdict, suspicion

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.floats(-1, 1, width=32)), min_size=1, max_size=20)


def verdict(measures: list[tuple[float, float]]) -> Verdict:
    first, second = zip(*measures, strict=True)
    values = torch.tensor(first, dtype=torch.float64), torch.tensor(second, dtype=torch.float64)
    return Verdict(("a", "b"), values)


@given(measures=PAIRS)
def test_places_follow_the_first_measure_and_then_the_second(
    measures: list[tuple[float, float]],
) -> None:
    places = verdict(measures).places()
    assert sorted(places) == [place / len(measures) for place in range(len(measures))]
    in_order = [measures[index] for index in places.argsort()]
    assert in_order == sorted(measures)


@given(one=PAIRS, seed=st.integers(0, 99))
def test_a_candidate_is_as_suspicious_as_its_worst_test(
    one: list[tuple[float, float]], seed: int
) -> None:
    other = [one[index] for index in np.random.default_rng(seed).permutation(len(one))]
    both = suspicion([verdict(one), verdict(other)])
    np.testing.assert_array_equal(both, np.maximum(verdict(one).places(), verdict(other).places()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_knowledge_rank_counts_rivals_that_the_picture_shows_better(seed: int) -> None:
    draw = np.random.default_rng(seed)
    presence = draw.uniform(-1, 1, (3, 5))
    picture = draw.integers(0, 3, 6)
    own, rivals = draw.random((6, 5)) < 0.4, draw.random((7, 5)) < 0.4
    rivals[~rivals.any(1), 0] = True
    tensors = (torch.from_numpy(each) for each in (presence, picture, own, rivals))
    rank, fit = knowledge_rank(*tensors)

    centred = presence - presence.mean(0)
    for n in range(6):
        shown = centred[picture[n]]
        if not own[n].any():
            assert rank[n] == 1
            continue
        expected = shown[own[n]].mean()
        np.testing.assert_allclose(fit[n], expected, atol=1e-12)
        competing = [rival for rival in rivals if not np.array_equal(rival, own[n])]
        better = [rival for rival in competing if shown[rival].mean() > expected + 1e-12]
        np.testing.assert_allclose(rank[n], len(better) / max(1, len(competing)), atol=1e-6)
