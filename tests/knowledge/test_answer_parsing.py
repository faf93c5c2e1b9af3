"""The strict parser: what of an answer is knowledge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.knowledge.parsing import MAX_WORDS, names, parse_answer
from shieldclip.knowledge.prompts import PROMPTS, Prompt

PROMPT = PROMPTS["objects-v1"]


@pytest.mark.parametrize(
    "answer",
    [
        "black stripes, four legs, tail",
        " Black  Stripes , FOUR legs; tail.",
        "1. black stripes\n2. four legs\n3. tail",
        "- black stripes\n- four legs\n* tail",
        "1) black stripes 2) four legs 3) tail",
        '"black stripes", the four legs, and a tail',
        "black stripes, four legs and tail",
        "black stripes, four legs, tail, tail, black stripes",
        "black stripes, four legs, tail\nObject: horse\nVisual properties: mane",
        "black stripes, four legs, tail, 3., ???, ,",
        "Visual properties: black stripes\nblack stripes, four legs, tail",
        "zebra, a zebra, zebras, black stripes, four legs, tail, a zebra with legs",
        "black stripes, four legs, tail, an animal that lives in africa",
        "tall tower, black stripes, brown feathers, four legs, tail",
    ],
)
def test_every_way_to_write_a_list(answer: str) -> None:
    assert parse_answer(answer, "zebra", PROMPT).elements == ("black stripes", "four legs", "tail")


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("red, red", "repeated"),
        ("visual properties: red", "echo"),
        ("name what can be seen of a thing", "echo"),
        ("short phrases", "echo"),
        ("can be", "echo"),
        ("its colour", "echo"),
        ("material", "echo"),
        ("1 2 3", "no phrase"),
        ("r=e=d", "no phrase"),
        ("one two three four five", "too long"),
        ("school bus", "name"),
        ("bus", "name"),
        ("yellow school bus", "name"),
        ("buses", "name"),
        ("mane", ""),
        ("2.5", "no phrase"),
        ("tall tower", "example"),
    ],
)
def test_reasons(phrase: str, reason: str) -> None:
    rejected = parse_answer(phrase, "school bus", PROMPT).rejected
    assert [why for _, why in rejected] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("answer", "elements"),
    [
        ("2.5 cm long, 3. legs", ("2.5 cm long", "legs")),
        ("1. 2.5 cm long\n2.wings", ("2.5 cm long", "wings")),
        ("it has a long tail", ("long tail",)),
        ("black and white, zebra", ("black", "white")),
    ],
)
def test_what_is_left_of_a_phrase(answer: str, elements: tuple[str, ...]) -> None:
    assert parse_answer(answer, "zebra", PROMPT).elements == elements


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("bus", "buses"),
        ("box", "boxes"),
        ("cookie", "cookies"),
        ("fox", "foxes"),
        ("glass", "glasses"),
        ("horse", "horses"),
        ("knife", "knives"),
        ("leaf", "leaves"),
        ("monkey", "monkeys"),
        ("peach", "peaches"),
        ("photo", "photos"),
        ("potato", "potatoes"),
        ("strawberry", "strawberries"),
    ],
)
def test_a_plural_is_the_same_name(one: str, many: str) -> None:
    assert names(many, one)
    assert names(one, many)
    assert names(f"{many} on a table", one)


@pytest.mark.parametrize(
    ("phrase", "text"), [("mane", "man"), ("care", "car"), ("princes", "princess")]
)
def test_words_that_look_like_plurals_are_others(phrase: str, text: str) -> None:
    assert not names(phrase, text)
    assert not names(text, phrase)


@pytest.mark.parametrize("word", ["thin", "cap", "ape", "art", "can", "short"])
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=lambda prompt: prompt.name)
def test_a_word_that_the_question_holds_is_no_echo(word: str, prompt: Prompt) -> None:
    assert parse_answer(word, "zebra", prompt).elements == (word,)


def test_words_of_a_caption_are_echoes_too() -> None:
    caption = "a brown dog on the beach"
    answer = parse_answer("dog, brown dog, wet fur, sand", caption, PROMPT)
    assert answer.elements == ("wet fur", "sand")


PIECES = ["a ", "it ", "has ", "and ", "zebra ", "zebras ", "red ", "tail ", "3. ", "2.5 ", ", "]
SAID = st.text(max_size=80) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(deadline=None)
@given(SAID, st.sampled_from(["zebra", "red heart", "two dogs on a beach"]))
def test_whatever_is_said_elements_keep_the_rules(answer, text):
    parsed = parse_answer(answer, text, PROMPT)
    for element in parsed.elements:
        assert element == " ".join(element.lower().split())
        assert 1 <= len(element.split()) <= MAX_WORDS
        assert not names(element, text)
        assert element not in PROMPT.example_elements
        assert any(character.isalpha() for character in element)
    assert len(set(parsed.elements)) == len(parsed.elements)
    assert parse_answer(", ".join(parsed.elements), text, PROMPT).elements == parsed.elements


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=lambda prompt: prompt.name)
def test_a_prompt_follows_its_own_rules(prompt) -> None:
    for text, elements in prompt.examples.items():
        other = next(name for name in PROMPTS if name != prompt.name)
        answer = parse_answer(", ".join(elements), text, PROMPTS[other])
        reasons = {why for _, why in answer.rejected}
        assert reasons <= {"example"}, (text, answer)


def test_all_prompts_share_everything_before_the_last_question() -> None:
    ends = [PROMPT.completion(text) for text in ("owl", "a zebra")]
    assert ends[0].removesuffix("owl\nVisual properties:") == ends[1].removesuffix(
        "a zebra\nVisual properties:"
    )
    chat = PROMPT.messages("owl")
    assert [turn["role"] for turn in chat[:3]] == ["system", "user", "assistant"]
    assert chat[-1] == {"role": "user", "content": "Object: owl"}
