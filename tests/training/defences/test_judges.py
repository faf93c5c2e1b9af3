"""How much each judge of pairs counts."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.defences.judges import Judges

RANKS = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@given(RANKS, RANKS)
def test_weights_sum_to_one(first, second):
    weights = Judges(0.7).weights(torch.tensor(first), torch.tensor(second))
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))


def test_a_judge_at_random_counts_little_beside_one_that_knows():
    knowing, guessing = torch.linspace(0, 0.05, 100), torch.linspace(0, 1, 100)
    weights = Judges(0.7).weights(knowing, guessing)
    assert weights[0] > 0.85
    assert torch.equal(weights.flip(0), Judges(0.7).weights(guessing, knowing))


def test_judges_that_know_equally_much_or_nothing_count_equally():
    for ranks in (torch.full((5,), 0.1), torch.ones(5), torch.full((5,), torch.nan)):
        torch.testing.assert_close(Judges(0.7).weights(ranks, ranks), torch.full((2,), 0.5))


def test_what_a_judge_cannot_tell_is_not_held_against_it():
    known = torch.tensor([0.0, 0.0, torch.nan, torch.nan])
    weights = Judges(0.7).weights(known, torch.full((4,), 0.5))
    assert weights[0] > weights[1]


def test_weights_follow_slowly_and_are_restored():
    judges, restored = Judges(0.7), Judges(0.7)
    knows, guesses = torch.zeros(5), torch.full((5,), 0.6)
    before = judges.weights(knows, guesses)
    after = judges.weights(guesses, knows)
    assert after[0] > after[1], "one batch does not overturn what was learned"
    assert after[0] < before[0]
    restored.load_state_dict(judges.state_dict())
    assert torch.equal(restored.weights(guesses, knows), judges.weights(guesses, knows))
