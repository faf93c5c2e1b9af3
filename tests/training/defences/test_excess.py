"""Which pairs of a batch are too many of one meaning."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.defences.excess import Excess, said_often

USUAL = torch.arange(1, 11).repeat(10)
"""Ten captions each of ten meanings."""


def batch(common: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ten meanings and a common one; the later of its pairs are the more suspected."""
    meanings = torch.cat([USUAL, torch.full((common,), 99)])
    return meanings, torch.arange(len(meanings)).float()


def test_as_many_stay_of_a_common_meaning_as_of_a_usual_one():
    meanings, suspicion = batch(common=40)
    excess = Excess().among(meanings, suspicion)
    assert not excess[:100].any()
    assert excess[100:].tolist() == [False] * 10 + [True] * 30


def test_equally_common_meanings_are_no_excess():
    assert not Excess().among(USUAL, torch.rand(100)).any()


def test_captions_of_which_nothing_is_known_are_not_alike():
    meanings, suspicion = batch(common=40)
    meanings[meanings == 99] = 0
    assert not Excess().among(meanings, suspicion).any()


def test_what_is_common_over_batches_is_so_in_a_batch_that_has_little_of_it():
    excess = Excess()
    for _ in range(20):
        excess.among(*batch(common=80))
    alone = torch.tensor([1, 2, 3, 4, 5, 6, 7, 99])
    assert excess.among(alone, torch.zeros(8)).tolist() == [False] * 7 + [True]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30), st.randoms())
def test_pairs_are_judged_whatever_their_order(keys, random):
    meanings, suspicion = torch.tensor(keys), torch.rand(len(keys))
    shuffled = list(range(len(keys)))
    random.shuffle(shuffled)
    excess = Excess().among(meanings, suspicion)
    assert torch.equal(Excess().among(meanings[shuffled], suspicion[shuffled]), excess[shuffled])


def test_what_is_said_thrice_as_often_as_usual_is_said_often():
    meanings = torch.cat([USUAL, torch.full((30,), 99), torch.full((20,), 98), torch.tensor([0])])
    assert said_often(meanings).tolist() == [False] * 100 + [True] * 30 + [False] * 20 + [True]
