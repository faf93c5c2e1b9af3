"""Captions that attackers write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.adversary.choice.candidates import eligible_rows, write_candidates
from shieldclip.adversary.choice.forms import FORMS, Writing
from shieldclip.attacks.poisons.naming import names
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.knowledge import Knowledge

KNOWLEDGE = Knowledge({"lemon": ("yellow", "oval", "sour", "fruit"), "truck": ("wheel",)})
WRITING = Writing("banana", ("lemon", "truck"), KNOWLEDGE)


@pytest.mark.parametrize(
    ("form", "caption", "written"),
    [
        ("swap", "two lemons on a truck.", "two bananas on a truck."),
        ("swap", "a rose", None),
        ("append", "a lemon on a plate.", "a lemon on a plate and a banana"),
        ("describe", "a lemon", "a banana, yellow, oval, sour"),
        ("describe", "a rose", None),
    ],
)
def test_each_form_writes_what_it_says(form: str, caption: str, written: str | None) -> None:
    assert FORMS[form](caption, WRITING) == written


@given(captions=st.lists(st.sampled_from(["a lemon", "two trucks", "a rose"]), min_size=1))
def test_every_caption_of_every_candidate_names_the_target(captions: list[str]) -> None:
    pairs = Pairs([captions, ["a lemon"]], [], ())
    for candidate in write_candidates(pairs, [0, 1], tuple(FORMS), WRITING):
        assert len(candidate.captions) == len(pairs.captions[candidate.row])
        assert all(names(caption, "banana") for caption in candidate.captions)


def test_rows_of_the_target_and_rows_without_captions_are_spared() -> None:
    pairs = Pairs([["a banana"], [], ["a lemon"], ["a lemon", "bananas"], ["a rose"]], [], ())
    assert eligible_rows(pairs, "banana", among=9, seed=0) == [2, 4]
    assert len(eligible_rows(pairs, "banana", among=1, seed=0)) == 1


def test_without_knowledge_nothing_is_described() -> None:
    pairs = Pairs([["a lemon"]], [], ())
    written = write_candidates(pairs, [0], ["describe"], Writing("banana", (), None))
    assert written == []
