"""What happens to pairs as long as the model cannot tell lies from what it has not learned."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from known_pairs import KnownPairs

from shieldclip.training.defences.base import EpochPlan
from shieldclip.training.defences.early_plans import both, rarest_words, thinned
from shieldclip.training.defences.matching import Matching
from shieldclip.training.defences.otcclip import OTCCLIP

CONCEPTS = [[f"a picture of thing{n % 10}"] for n in range(100)]
LIES = [["a banana"], ["A picture of a banana"], ["banana"], ["picture of banana"]] * 10


def test_captions_of_one_thing_have_the_same_rarest_word():
    words = rarest_words([*CONCEPTS, *LIES])
    assert words[:100].tolist() == words[:10].tolist() * 10
    assert len(words.unique()) == 11
    assert len(words[100:].unique()) == 1


def test_pairs_without_words_are_about_nothing():
    assert rarest_words([["..."], ["an owl"], []]).tolist()[::2] == [0, 0]
    assert rarest_words([[]]).tolist() == [0]


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=4), min_size=1, max_size=20))
def test_the_rarest_word_is_one_of_the_pair_and_none_of_its_words_is_rarer(captions):
    found = rarest_words([[" ".join(words)] for words in captions]).tolist()
    times = {w: sum(w in words for words in captions) for words in captions for w in words}
    named = {}
    for words, number in zip(captions, found, strict=True):
        assert (number == 0) == (not words)
        if words:
            least = min(times[word] for word in words)
            fitting = {word for word in words if times[word] == least}
            named[number] = named.get(number, fitting) & fitting
    assert all(named.values())  # one word a number


def test_what_half_of_the_pairs_say_is_usual():
    meanings = torch.cat([torch.arange(1, 101).repeat(10), torch.full((2000,), 999)])
    assert thinned(meanings, 1).rows is None


def test_of_what_is_said_r_times_as_often_one_in_r_to_the_power_stays():
    meanings = torch.cat([torch.arange(1, 101).repeat(100), torch.full((8000,), 999)])
    rows = thinned(meanings, 1).rows
    assert rows is not None
    assert rows[:10_000] == list(range(10_000))
    assert 60 <= len(rows) - 10_000 <= 140
    fewer = thinned(meanings, 2).rows
    assert fewer is not None
    assert len(fewer) - 10_000 <= 10
    assert thinned(meanings, 2) == thinned(meanings, 2)


def test_equally_frequent_meanings_are_all_trained_on():
    assert thinned(torch.arange(10).repeat(5) + 1, 2).rows is None


def test_otcclip_thins_before_its_first_plan_and_repairs_once_gaps_tell():
    pairs = KnownPairs()
    waits = OTCCLIP(candidates=8, pool=1000, first_match=2, excess=2.0)
    plan = waits.plan(0, pairs)
    assert plan is not None
    assert plan.captions == {}
    assert waits.plan(1, pairs) is None  # the plan stays
    later = waits.plan(2, pairs)
    assert later is not None
    assert later.captions
    waits.repair_from = later.figures["separation"] + 1
    timid = waits.plan(3, pairs)
    assert timid is not None
    assert timid.captions == {}


def test_an_early_plan_that_accuses_nobody_still_thins(monkeypatch):
    found = EpochPlan(figures={"separation": 3.0})
    monkeypatch.setattr(Matching, "plan", lambda *_: found)
    pairs = KnownPairs()
    pairs.captions = [["a lie"]] * 50 + [[f"concept{n // 2}"] for n in range(110)]
    early = OTCCLIP(excess=2.0, repair_from=4.0).plan(5, pairs)
    assert early is not None
    assert early.rows is not None
    assert early.rows[-110:] == list(range(50, 160))
    assert len(early.rows) < 120
    assert OTCCLIP(excess=2.0, repair_from=3.0).plan(5, pairs) is found


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_both_plans_leave_out_what_either_does(one, other):
    every = set(range(10))
    plans = [EpochPlan(rows=None if rows == every else sorted(rows)) for rows in (one, other)]
    found = both(*plans).rows
    assert (every if found is None else set(found)) == one & other


def test_without_excess_nobody_is_left_out_before_the_first_plan():
    assert OTCCLIP(first_match=2).plan(0, KnownPairs()) is None
