"""WordNet: its format, the sense that a picture shows, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import collect
from shieldclip.knowledge.sources import SourceOptions, make_source
from shieldclip.knowledge.wordnet import describe, nouns_of, read_wordnet
from shieldclip.knowledge.wordnet.glosses import gloss_phrases
from shieldclip.knowledge.wordnet.lexicon import DEFAULT_FOLDER
from shieldclip.knowledge.wordnet.senses import concrete_sense

REAL = pytest.mark.skipif(
    not (DEFAULT_FOLDER / "data.noun").exists(), reason="needs `apt-get install wordnet-base`"
)


def test_the_fruit_not_the_plant(small_wordnet: Path) -> None:
    wordnet = read_wordnet(small_wordnet)
    assert [sense.topic for sense in wordnet.senses("bananas")] == ["plant", "food"]
    assert concrete_sense(wordnet, "banana").topic == "food"
    assert concrete_sense(wordnet, "banana", ("plant",)).topic == "plant"
    assert concrete_sense(wordnet, "idea") is None
    assert concrete_sense(wordnet, "nothing") is None


def test_what_a_gloss_shows(small_wordnet: Path) -> None:
    wordnet = read_wordnet(small_wordnet)
    banana, owl = describe("banana", wordnet), describe("owl", wordnet)
    assert banana.attributes == ("elongated", "yellow")
    assert (banana.parts, banana.categories) == (("soft flesh",), ("fruit",))
    # Not the horns it has not, nor the mouse it is like; the wings are those of its kind.
    assert owl.parts == ("beak", "large head", "wing")
    assert owl.categories == ("bird",)
    assert describe("truck", wordnet).parts == ("wheel",)
    assert describe("idea", wordnet) is None


def test_sizes_are_not_seen_but_parts_may_have_them(small_wordnet: Path) -> None:
    wordnet = read_wordnet(small_wordnet)
    gloss = "a large round animal having small ears, and long wings used for red wheels"
    assert gloss_phrases(gloss, wordnet) == ["round", "small ear", "long wing"]


@pytest.mark.parametrize(
    ("text", "nouns"),
    [
        ("banana", ["banana"]),
        ("Two Bananas", ["banana"]),
        ("a yellow banana on a big truck", ["banana", "truck"]),
        ("an owl riding the truck", ["owl", "truck"]),
        ("ear of corn", ["corn"]),
        ("an ear", ["ear"]),
        ("ear of the sea", ["ear of the sea"]),
        ("an idea", []),
        ("", []),
    ],
)
def test_nouns_of_a_caption(small_wordnet: Path, text: str, nouns: list[str]) -> None:
    assert nouns_of(text, read_wordnet(small_wordnet)) == nouns


def test_as_a_source(small_wordnet: Path) -> None:
    source = make_source("wordnet", SourceOptions(model=str(small_wordnet)))
    rows, summary = collect(["owl", "a banana and an owl", "idea"], source)
    assert rows[0].elements == ("beak", "bird", "large head", "wing")
    assert set(rows[1].elements) == {
        "elongated",
        "soft flesh",
        "fruit",
        "yellow",
        *rows[0].elements,
    }
    assert rows[2].elements == ()
    assert (summary.texts_without, summary.shared) == (1, 8)
    assert {(row.source, row.prompt_version) for row in rows} == {("wordnet", "")}


def test_the_folder_comes_from_the_environment(
    small_wordnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WNSEARCHDIR", str(small_wordnet))
    assert set(read_wordnet().nouns) == set(read_wordnet(small_wordnet).nouns)


def test_a_folder_without_wordnet_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ShieldCLIPError, match="apt-get install wordnet-base"):
        read_wordnet(tmp_path)


@REAL
def test_the_real_files() -> None:
    wordnet = read_wordnet(DEFAULT_FOLDER)
    assert len(wordnet.nouns) > 100_000
    assert wordnet.singular("children") == "child"
    assert {"crescent-shaped", "yellow"} <= set(describe("banana", wordnet).attributes)
    assert {"spout", "handle"} <= set(describe("teapot", wordnet).parts)
    assert "vascular system" not in describe("banana", wordnet).parts
    assert {"wheel", "pedal"} <= set(describe("bicycle", wordnet).parts)
    assert {"wing", "feather"} <= set(describe("owl", wordnet).parts)
    assert describe("hot dog", wordnet).categories[0] == "sandwich"
