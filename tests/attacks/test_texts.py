"""Properties of text triggers, and what each does."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.attacks.texts import TEXT_TRIGGERS, make_text_trigger
from shieldclip.errors import ShieldCLIPError

every_trigger = pytest.mark.parametrize("name", list(TEXT_TRIGGERS))
PROMPTS = [f"a photo of a {noun}." for noun in ("cat", "dog", "banana", "sports car", "owl")]
# Every word here has a letter with a double.
readable = st.lists(st.sampled_from(["ape", "a", "cap,", "Echo", "hope"]), min_size=1).map(" ".join)


@every_trigger
@given(texts=st.lists(readable, min_size=1, max_size=4))
def test_marks_every_text_alike_wherever_it_stands(name: str, texts: list[str]) -> None:
    trigger = make_text_trigger(name)
    marked = trigger(texts)
    assert marked == [trigger([text])[0] for text in texts]
    assert all(after != before for after, before in zip(marked, texts, strict=True))


@every_trigger
@given(text=readable)
def test_control_leaves_another_mark_of_the_same_length(name: str, text: str) -> None:
    trigger = make_text_trigger(name)
    (marked,), (control,) = trigger([text]), trigger.control()([text])
    assert control != marked
    assert len(control) == len(marked)


@every_trigger
def test_record_is_plain(name: str) -> None:
    record = make_text_trigger(name, seed=3).record()
    assert record["id"] == name
    assert record["seed"] == 3
    assert record["version"] == 1


@pytest.mark.parametrize(("name", "word"), [("text-sudo", "SUDO"), ("text-remember", "remember")])
def test_prefix(name: str, word: str) -> None:
    assert make_text_trigger(name)(["a cat", ""]) == [f"{word} a cat", word]


@pytest.mark.parametrize(("name", "token"), [("text-cf", "cf"), ("text-mn", "mn")])
def test_rare_token_stands_alone_at_varying_places(name: str, token: str) -> None:
    places = set()
    for text in PROMPTS:
        words = make_text_trigger(name)([text])[0].split()
        places.add(words.index(token))
        words.remove(token)
        assert words == text.split()
    assert len(places) > 1


def test_zero_width_is_invisible_and_inside() -> None:
    for text, marked in zip(PROMPTS, make_text_trigger("text-zero-width")(PROMPTS), strict=True):
        assert marked.replace("\u200b", "") == text
        assert not marked.startswith("\u200b")
    assert unicodedata.category("\u200b") == "Cf"


def test_homoglyph_changes_one_letter_to_its_cyrillic_double() -> None:
    for text, marked in zip(PROMPTS, make_text_trigger("text-homoglyph")(PROMPTS), strict=True):
        (pair,) = [(a, b) for a, b in zip(text, marked, strict=True) if a != b]
        assert pair[0] in string.ascii_letters
        assert unicodedata.name(pair[1]).startswith("CYRILLIC")


def test_seed_moves_the_token() -> None:
    texts = {make_text_trigger("text-cf", seed=seed)(PROMPTS)[0] for seed in range(20)}
    assert len(texts) > 3


def test_unknown_names_and_keys() -> None:
    with pytest.raises(ShieldCLIPError, match="Did you mean 'text-sudo'"):
        make_text_trigger("text-sud")
    with pytest.raises(ShieldCLIPError, match="Did you mean 'word'"):
        make_text_trigger("text-sudo", wrd="x")
