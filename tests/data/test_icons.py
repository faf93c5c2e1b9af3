"""The icon data that ships: what it holds and what it keeps apart."""

import io

import datasets
import numpy as np
import pytest
from PIL import Image

from shieldclip.data.embedded import EMBEDDED
from shieldclip.data.renderings import render_icon, render_rows
from shieldclip.data.scenes.canvas import SIZE
from shieldclip.data.scenes.colours import COLOURS, dominant_colour
from shieldclip.data.sprites import FOLDER, SPLITS, load_sprites, sprite_file
from shieldclip.data.words import with_article
from shieldclip.errors import ShieldCLIPError


def test_no_style_is_in_two_splits():
    styles = {split: {sprite.style for sprite in load_sprites(split)} for split in SPLITS}
    assert styles["test"] == {"twemoji"}
    assert styles["validation"] == {"emojione"}
    assert not styles["train"] & (styles["test"] | styles["validation"])


@pytest.mark.parametrize("split", SPLITS)
def test_a_style_draws_a_concept_once(split):
    drawn = [(sprite.style, sprite.concept) for sprite in load_sprites(split)]
    assert len(drawn) == len(set(drawn))


def test_aliases_are_merged():
    concepts = {sprite.concept for split in SPLITS for sprite in load_sprites(split)}
    assert {"eggplant", "fire engine", "octopus"} <= concepts
    assert not any("fxemoji" in name or "aubergine" in name for name in concepts)
    assert not any("skin tone" in name or name.startswith("flag:") for name in concepts)
    assert 1300 < len(concepts) < 1500


@pytest.mark.parametrize("split", ["validation", "test"])
def test_icons_100(split):
    source = EMBEDDED["icons-100"](split)
    assert len(source.classes) == 100
    assert "banana" in source.classes
    assert np.bincount(source.labels).tolist() == [10] * 100
    assert len(source.captions) == len(source.rows) >= 1000


def test_icons_100_is_known_from_training():
    trained = {sprite.concept for sprite in load_sprites("train")}
    assert set(EMBEDDED["icons-100"]("test").classes) <= trained


def test_pictures_are_the_size_of_a_canvas():
    picture = Image.open(io.BytesIO(EMBEDDED["icons-100"]("test").rows[0]["image"]["bytes"]))
    assert picture.size == (SIZE, SIZE)


def test_rendering_depends_on_seed_and_row_only():
    sprites = load_sprites("test")[:3]
    classes = [sprite.concept for sprite in sprites]
    once = list(render_rows(sprites, 2, 7, classes))
    again = list(render_rows(sprites[:1], 2, 7, classes))
    assert once[:2] == again
    assert once != list(render_rows(sprites, 2, 8, classes))


def test_renderings_of_one_icon_differ():
    sprite = load_sprites("test")[0]
    pictures = [render_icon(sprite, np.random.default_rng(seed))[0] for seed in range(4)]
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_background_never_hides_the_icon():
    tomato = next(sprite for sprite in load_sprites("test") if sprite.concept == "tomato")
    assert tomato.colour == "red"
    colours = {render_icon(tomato, np.random.default_rng(seed))[1] for seed in range(60)}
    assert "red" not in colours
    assert colours <= set(COLOURS)


@pytest.mark.parametrize("name", COLOURS)
def test_dominant_colour_of_a_plain_square(name):
    square = np.full((8, 8, 4), 255, dtype=np.uint8)
    square[..., :3] = COLOURS[name]
    assert dominant_colour(square) == name


def test_no_dominant_colour_without_a_majority():
    square = np.full((9, 3, 4), 255, dtype=np.uint8)
    for row, name in enumerate(("red", "green", "blue")):
        square[3 * row : 3 * row + 3, :, :3] = COLOURS[name]
    assert dominant_colour(square) == ""


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("apple", "an apple"),
        ("banana", "a banana"),
        ("umbrella", "an umbrella"),
        ("unicorn", "a unicorn"),
        ("grapes", "grapes"),
        ("bus", "a bus"),
        ("french fries", "french fries"),
    ],
)
def test_articles(noun, phrase):
    assert with_article(noun) == phrase


def test_unknown_split():
    with pytest.raises(ShieldCLIPError, match="'dev'"):
        sprite_file("dev")


def test_card_loads_with_datasets(tmp_path):
    loaded = datasets.load_dataset(str(FOLDER), cache_dir=str(tmp_path))
    assert loaded["test"].features["label"].names == list(EMBEDDED["icons-100"]("test").classes)
    sprites = datasets.load_dataset(str(FOLDER), "sprites", split="test", cache_dir=str(tmp_path))
    assert sprites[0]["image"].mode == "RGBA"


def test_committed_data_stays_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.parquet")) < 15e6
