"""Training pairs that are rendered on demand and kept."""

from __future__ import annotations

import pytest

from shieldclip.data import icons_and_scenes, open_source
from shieldclip.data.icons_and_scenes import icons_100_concepts, parse_options
from shieldclip.data.sprites import load_sprites
from shieldclip.errors import ShieldCLIPError

SMALL = "icons-and-scenes?renderings=3&favoured=1&concepts=icons-100&scenes=3"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHIELDCLIP_CACHE", str(tmp_path))


def test_rows_are_icons_as_often_as_asked_and_scenes():
    opened = open_source(SMALL)
    concepts = set(icons_100_concepts())
    icons = [sprite for sprite in load_sprites("train") if sprite.concept in concepts]
    assert len(opened.rows) == len(icons) + 3
    assert opened.rows.column_names == ["image", "captions"]
    assert opened.split == "train"
    for sprite, captions in zip(icons, opened.captions, strict=False):
        assert sprite.concept in captions[0]


def test_a_second_opening_reads_the_same_pictures_from_the_cache(monkeypatch):
    first = open_source(SMALL)
    monkeypatch.setattr(icons_and_scenes, "_rendered", lambda _: pytest.fail("rendered again"))
    assert open_source(SMALL).fingerprint == first.fingerprint
    # Another number of scenes keeps the icons.
    assert len(open_source(SMALL.replace("scenes=3", "scenes=1")).rows) == len(first.rows) - 2


def test_renderings_differ_by_seed_and_among_each_other():
    rows = open_source(SMALL).rows
    pictures = [image["bytes"] for image in rows["image"]]
    assert len(set(pictures)) == len(pictures)
    other = open_source(SMALL + "&seed=1").rows
    assert not set(pictures) & {image["bytes"] for image in other["image"]}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("rendering=3", "Did you mean 'renderings'"),
        ("renderings=many", "renderings"),
        ("concepts=icons-50", "icons-100"),
        ("renderings=0&favoured=0&scenes=0", "at least one picture"),
    ],
)
def test_options_are_checked(options, says):
    with pytest.raises(ShieldCLIPError, match=says):
        open_source(f"icons-and-scenes?{options}")


def test_columns_of_embedded_data_cannot_be_chosen():
    with pytest.raises(ShieldCLIPError, match="brings its columns"):
        open_source(SMALL, caption_column="x")


def test_favoured_follows_renderings_unless_given():
    assert parse_options("icons-and-scenes").favoured is None
    assert parse_options("icons-and-scenes?favoured=0").favoured == 0
