"""Which elements a caption gets."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import EMBEDDED, Knowledge, KnowledgeRow, load_knowledge, write_rows

TABLE = Knowledge(
    {
        "dog": ("four legs", "tail"),
        "hot dog": ("bread", "sauce"),
        "hot": ("heat",),
        "cherry": ("red", "tail"),
        "o'clock": ("dial",),
        "A photo of nothing": ("blank",),
    }
)


@pytest.mark.parametrize(
    ("caption", "elements"),
    [
        ("a dog", ("four legs", "tail")),
        ("A DOG!", ("four legs", "tail")),
        ("a hot dog on a plate", ("bread", "sauce")),
        ("a dog eats a hot dog", ("bread", "sauce", "four legs", "tail")),
        ("a hot day, a dog", ("four legs", "tail", "heat")),
        ("two dogs and cherries", ("four legs", "tail", "red")),
        ("hot dogs", ("bread", "sauce")),
        ("six o'clock", ("dial",)),
        ("A photo of nothing", ("blank",)),
        ("dogma, hotdog, adog", ()),
        ("", ()),
    ],
)
def test_names_in_a_caption(caption: str, elements: tuple[str, ...]) -> None:
    assert sorted(TABLE.of_caption(caption)) == sorted(elements)
    assert TABLE.of_caption(caption) == TABLE.of_caption(caption)


def test_longest_names_come_first() -> None:
    assert TABLE.of_caption("a dog eats a hot dog")[0] == "bread"


def test_the_row_of_a_caption_goes_before_the_names_in_it() -> None:
    table = Knowledge({"a dog": ("exactly this",), "dog": ("four legs",)})
    assert table.of_caption("a dog") == ("exactly this",)
    assert table.of_caption("A dog") == ("exactly this",)
    assert table.of_caption("a small dog") == ("four legs",)


WORDS = st.lists(st.sampled_from(["ab", "cd", "ef", "gh"]), min_size=1, max_size=7)


@settings(deadline=None)
@given(WORDS, st.sets(WORDS.map(tuple), min_size=1, max_size=6))
def test_no_name_is_missed_and_no_word_used_twice(words, names):
    names = {name[:3] for name in names}
    table = Knowledge({" ".join(name): (f"of {'+'.join(name)}",) for name in names})
    found = [
        element.removeprefix("of ").split("+") for element in table.of_caption(" ".join(words))
    ]
    if " ".join(words) in table.elements:
        return
    spans = [
        {
            (start, start + len(name))
            for start in range(len(words))
            if words[start:][: len(name)] == name
        }
        for name in found
    ]
    assert all(spans)
    assert any(
        all(a[1] <= b[0] or b[1] <= a[0] for a, b in itertools.combinations(choice, 2))
        for choice in itertools.product(*spans)
    )
    windows = {tuple(words[i:j]) for i, j in itertools.combinations(range(len(words) + 1), 2)}
    longest = max((len(name) for name in names & windows), default=0)
    assert max(map(len, found), default=0) == longest


def test_rows_of_one_text_are_joined(tmp_path: Path) -> None:
    rows = [
        KnowledgeRow("owl", ("wing", "beak"), "a"),
        KnowledgeRow("owl", ("beak", "claw"), "b"),
    ]
    write_rows(rows, tmp_path / "k.parquet")
    assert load_knowledge(tmp_path / "k.parquet").elements == {"owl": ("wing", "beak", "claw")}


def test_an_unknown_embedded_name_lists_the_others() -> None:
    with pytest.raises(ShieldCLIPError, match="Did you mean 'icons'"):
        load_knowledge("embedded:icon")


@pytest.mark.parametrize("name", EMBEDDED)
def test_shipped_knowledge_keeps_its_promises(name: str) -> None:
    from shieldclip.data.sprites import load_sprites

    table = load_knowledge(f"embedded:{name}").elements
    assert {sprite.concept for sprite in load_sprites("test")} >= set(table)
    for text, elements in table.items():
        assert len(set(elements)) == len(elements)
        for element in elements:
            words = element.split()
            assert 1 <= len(words) <= 4 and element == " ".join(words).lower()
            assert not set(words) & set(text.replace(":", "").split()), (text, element)


def test_most_shipped_elements_are_shared() -> None:
    table = load_knowledge("embedded:icons").elements
    assert len(table) == 1420
    uses = [element for elements in table.values() for element in elements]
    assert sum(uses.count(element) > 1 for element in uses) > 0.9 * len(uses)
    assert len(uses) > 4 * len(table)
