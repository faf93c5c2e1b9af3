from __future__ import annotations

from itertools import combinations
from statistics import median_low

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.evaluation.metrics import retrieval
from shieldclip.evaluation.metrics.retrieval import (
    best_ranks,
    hit_random,
    median_rank_random,
    min_rank_random,
)


def ranks_by_hand(queries, gallery, query_groups, gallery_groups):
    order = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")
    return [
        1 + next(place for place, item in enumerate(row) if gallery_groups[item] == group)
        for row, group in zip(order, query_groups, strict=True)
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 30))
def test_best_ranks_equal_a_stable_sort_with_ties(seed, queries, gallery):
    rng = np.random.default_rng(seed)
    left, right = (rng.integers(-2, 3, size=(n, 3)).astype(float) for n in (queries, gallery))
    groups = rng.integers(4, size=gallery)
    wanted = rng.choice(groups, size=queries)
    ranks = best_ranks(*map(torch.from_numpy, (left, right, wanted, groups)))
    assert ranks.tolist() == ranks_by_hand(left, right, wanted, groups)


def test_blocks_do_not_change_ranks(monkeypatch):
    queries, gallery = torch.randn(40, 6), torch.randn(25, 6)
    groups = torch.arange(25) % 5
    wanted = torch.arange(40) % 5
    whole = best_ranks(queries, gallery, wanted, groups)
    monkeypatch.setattr(retrieval, "_BLOCK", 60)
    assert torch.equal(best_ranks(queries, gallery, wanted, groups), whole)


def test_a_collapsed_encoder_scores_like_chance_not_like_a_perfect_one():
    same = torch.ones(50, 4)
    places = torch.arange(50)
    assert (best_ranks(same, same, places, places) == 1).sum() == 1


@pytest.mark.parametrize(("gallery", "relevant"), [(1, 1), (6, 1), (6, 6), (7, 2), (9, 3), (10, 5)])
def test_random_levels_equal_a_count_over_all_orders(gallery, relevant):
    best = [min(places) for places in combinations(range(1, gallery + 1), relevant)]
    for k in range(1, gallery + 1):
        share = np.mean([rank <= k for rank in best])
        assert hit_random(gallery, relevant, k) == pytest.approx(share)
    assert min_rank_random(gallery, relevant) == pytest.approx(np.mean(best))
    assert median_rank_random(gallery, relevant) == median_low(sorted(best))


def test_random_hit_at_ten_may_already_be_large():
    assert hit_random(5000, 175, 10) == pytest.approx(0.3, abs=0.01)
