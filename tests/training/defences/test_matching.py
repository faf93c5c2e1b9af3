"""Matching plans on pairs whose true captions are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from known_pairs import CONCEPTS, PAIRS, WIDTH, WRONG, KnownPairs
from torch.nn.functional import normalize

from shieldclip.matching import MatchSettings
from shieldclip.training.defences.matching import Matching, MatchingRule, gap_of_picture
from shieldclip.training.defences.standing_out import StandingOut

RULE = MatchingRule(
    first=0,
    every=1,
    pool=1000,
    risk=0.5,
    remember=1.0,
    search=MatchSettings(candidates=8),
)


@pytest.fixture
def pairs():
    return KnownPairs()


def test_wrong_captions_and_no_others_are_replaced_by_the_true_ones(pairs):
    plan = Matching(RULE).plan(0, pairs)
    assert plan.captions == {row: f"concept {pairs.concept[row]}" for row in WRONG}
    assert min(plan.risk[row] for row in WRONG) > max(
        risk for row, risk in plan.risk.items() if row not in WRONG
    )


def test_of_a_picture_that_cannot_be_read_nothing_is_found_out(pairs):
    pairs.readable[list(WRONG[:2])] = False
    plan = Matching(RULE).plan(0, pairs)
    assert set(plan.captions) == set(WRONG[2:])
    assert [plan.gaps[row] for row in WRONG[:2]] == [0, 0]


def test_where_no_gap_stands_out_the_word_that_most_wide_gaps_share_does(pairs, monkeypatch):
    monkeypatch.setattr("shieldclip.matching.risk.DISTINCT", torch.inf)
    assert not Matching(RULE).plan(0, pairs).captions
    poisoned = [row for row in range(0, PAIRS, 3) if pairs.concept[row] != 3]
    for row in poisoned:
        pairs.captions[row] = ["concept 3"]
    plan = Matching(RULE).plan(0, pairs)
    assert plan.figures["words"] == 1
    assert {row for row in plan.captions if row not in WRONG} == set(poisoned) - set(WRONG)
    assert all(plan.captions[row] == f"concept {pairs.concept[row]}" for row in poisoned)


def test_a_suspect_is_left_out_if_another_accused_caption_is_all_that_fits(pairs, monkeypatch):
    monkeypatch.setattr("shieldclip.matching.risk.DISTINCT", torch.inf)
    concepts = pairs.concept.tolist()
    pairs.captions = [[f"concept {c}{' banana' if c == 5 else ''}"] for c in concepts]
    poisoned = [row for row in range(0, PAIRS, 3) if concepts[row] != 3]
    for row in poisoned:
        pairs.captions[row] = ["concept 3 banana"]
    plan = Matching(RULE).plan(0, pairs)
    assert plan.figures["words"] == 1
    assert set(range(PAIRS)) - set(plan.rows) == {row for row in poisoned if concepts[row] == 5}
    assert set(plan.captions) == {row for row in poisoned if concepts[row] != 5}


def test_without_tolerance_every_pair_takes_its_nearest_caption(pairs):
    plan = Matching(replace(RULE, risk=0.0)).plan(0, pairs)
    assert plan.captions == {row: f"concept {c}" for row, c in enumerate(pairs.concept.tolist())}


def test_plans_change_in_matching_epochs_only(pairs):
    matching = Matching(replace(RULE, first=1, every=2))
    plans = [matching.plan(epoch, pairs) for epoch in range(4)]
    assert [plan is not None for plan in plans] == [False, True, False, True]


def test_only_captions_of_the_pool_are_taken_and_the_oldest_drop_out(pairs):
    matching = Matching(replace(RULE, pool=4))
    matching.remember(torch.tensor([1, 2, 3]))
    matching.remember(torch.tensor([5, 6]))
    captions = matching.plan(0, pairs).captions
    assert set(captions.values()) <= {"concept 2", "concept 3", "concept 5", "concept 6"}
    # Right captions that the pool does not hold are judged as well as those that it holds.
    assert captions
    assert set(captions) <= set(WRONG)
    restored = Matching(matching.rule)
    restored.load_state_dict(matching.state_dict())
    assert restored.state_dict()["pool"].tolist() == [2, 3, 5, 6]


@pytest.mark.parametrize("kept", [False, True])
def test_what_stood_out_once_is_not_believed_when_it_no_longer_does(pairs, kept):
    """Between two plans the model learns what poisons say, so that they fit their captions best."""
    matching = Matching(RULE)
    first = matching.plan(0, pairs)
    if kept:
        state, matching = matching.state_dict(), Matching(RULE)
        matching.load_state_dict(state)
    said = [(int(pairs.concept[row]) + 3) % CONCEPTS for row in WRONG]
    pairs.patches[list(WRONG)] = pairs.patches[said]
    assert matching.plan(1, pairs).captions == first.captions
    assert not Matching(RULE).plan(1, pairs).captions


@pytest.mark.parametrize(("remember", "believed"), [(1.0, False), (0.0, True)])
def test_what_a_model_found_that_knew_nothing_can_be_forgotten(pairs, remember, believed):
    matching = Matching(replace(RULE, remember=remember))
    known = pairs.patches.clone()
    pairs.patches[::5] = pairs.patches[[(row + 3) % PAIRS for row in range(0, PAIRS, 5)]]
    assert set(range(0, PAIRS, 5)) - set(WRONG) <= set(matching.plan(0, pairs).captions)
    pairs.patches[:] = known
    assert (set(matching.plan(1, pairs).captions) == set(WRONG)) == believed


@pytest.mark.parametrize(
    ("keep", "gaps", "nearest"), [(0.0, [0.5, 0], [5, 6]), (0.5, [torch.inf, 1], [3, 4])]
)
def test_infinite_gaps_are_forgotten_where_nothing_is_remembered(keep, gaps, nearest):
    standing_out = StandingOut(keep)
    standing_out.update(torch.tensor([torch.inf, 2]), torch.tensor([3, 4]))
    found = standing_out.update(torch.tensor([0.5, 0]), torch.tensor([5, 6]))
    assert [part.tolist() for part in found] == [gaps, nearest]


def test_a_caption_near_every_picture_hides_poisons_until_distances_are_centred(pairs):
    """Every patch looks a little like concept 3, which all the wrong captions name."""
    often = torch.eye(CONCEPTS, WIDTH)[3]
    pairs.patches = normalize(pairs.patches + 1.0 * often, dim=-1)
    assert not Matching(RULE).plan(0, pairs).captions.keys() & set(WRONG)
    rule = replace(RULE, search=replace(RULE.search, centring=1.0))
    plan = Matching(rule).plan(0, pairs)
    assert plan.captions == {row: f"concept {pairs.concept[row]}" for row in WRONG}


def test_several_captions_are_judged_by_the_best_of_them(pairs):
    for row in WRONG:
        pairs.captions[row] = ["concept 0", f"concept {pairs.concept[row]}"]
    assert not Matching(RULE).plan(0, pairs).captions


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 2, width=32)), min_size=1, max_size=30))
def test_a_gap_is_at_least_the_mean_of_its_picture(pairs):
    pictures, gaps = (torch.tensor(column) for column in zip(*pairs, strict=True))
    raised = gap_of_picture(gaps, pictures)
    for gap, picture, got in zip(gaps, pictures, raised, strict=True):
        mean = gaps[pictures == picture].mean()
        torch.testing.assert_close(got, torch.maximum(gap, mean), atol=1e-5, rtol=0)


def test_a_picture_with_many_wrong_captions_is_one_case(pairs):
    """Every eighth of the wrong captions of one picture fits it by chance."""
    one = range(40, 56)
    pairs.patches[one[0] : one[-1] + 1] = pairs.patches[0]
    pairs.concept[one[0] : one[-1] + 1] = 0
    for row in one:
        pairs.captions[row] = ["concept 3"] if row % 8 else ["concept 0"]
    apart = Matching(RULE).plan(0, pairs)
    pairs.pictures[one[0] : one[-1] + 1] = 40
    together = Matching(RULE).plan(0, pairs)
    assert [row for row in one if apart.risk[row] < 0.5] == [40, 48]
    assert all(together.risk[row] > 0.5 for row in one)
