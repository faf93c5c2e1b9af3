"""Scenes: deterministic, truthful, and disjoint between splits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.data.scenes.canvas import SIZE
from shieldclip.data.scenes.compose import compose, pair_split
from shieldclip.data.scenes.generate import generate_scenes, scene_sprites, scenes_file
from shieldclip.data.sprites import SPLITS

indices = st.integers(0, 10**6)
splits = st.sampled_from(SPLITS)


@given(splits, st.integers(0, 99), indices)
@settings(max_examples=40, deadline=None)
def test_a_scene_is_what_its_caption_says(split, seed, index):
    scene = compose(scene_sprites(split), split, seed, index)
    assert scene.pixels.shape == (SIZE, SIZE, 3)
    assert all(concept in scene.caption for concept in scene.concepts)
    centres = [((b.left + b.right) / 2, (b.top + b.bottom) / 2) for b in scene.boxes]
    if " left of " in scene.caption:
        assert centres[0][0] < centres[1][0]
    if " right of " in scene.caption:
        assert centres[0][0] > centres[1][0]
    if " above " in scene.caption:
        assert centres[0][1] < centres[-1][1]
    if " below " in scene.caption:
        assert centres[0][1] > centres[-1][1]
    if " between " in scene.caption:
        assert centres[1][0] < centres[0][0] < centres[2][0]


@given(splits, indices)
@settings(max_examples=40, deadline=None)
def test_concepts_meet_in_their_own_split_only(split, index):
    scene = compose(scene_sprites(split), split, 0, index)
    for pair in itertools.combinations(scene.concepts, 2):
        assert pair_split(*pair) == split


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_the_split_of_a_pair_does_not_depend_on_its_order(one, other):
    assert pair_split(one, other) == pair_split(other, one)


@given(splits, indices)
@settings(max_examples=20, deadline=None)
def test_boxes_lie_on_the_canvas_and_hold_the_icon(split, index):
    scene = compose(scene_sprites(split), split, 3, index)
    for box in scene.boxes:
        assert 0 <= box.left < box.right <= SIZE
        assert 0 <= box.top < box.bottom <= SIZE
        inside = scene.pixels[box.top : box.bottom, box.left : box.right]
        assert inside.reshape(-1, 3).std(0).sum() > 0


@given(indices)
@settings(max_examples=10, deadline=None)
def test_same_seed_same_scene(index):
    sprites = scene_sprites("test")
    first, second = (compose(sprites, "test", 5, index) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert first.caption == second.caption
    assert not np.array_equal(first.pixels, compose(sprites, "test", 6, index).pixels)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHIELDCLIP_CACHE", str(tmp_path))
    return tmp_path


def test_parallel_generation_equals_single_scenes(cache):
    rows = generate_scenes("test", 1_200, seed=1)
    assert len(rows) == 1_200
    sprites = scene_sprites("test")
    for index in (0, 499, 500, 1_199):
        scene = compose(sprites, "test", 1, index)
        assert rows[index]["captions"] == [scene.caption]
        assert rows[index]["concepts"] == list(scene.concepts)


def test_scenes_are_cached(cache):
    generate_scenes("validation", 20, seed=2)
    path = scenes_file("validation", 20, 2)
    written = path.stat().st_mtime_ns
    generate_scenes("validation", 20, seed=2)
    assert path.stat().st_mtime_ns == written
    assert [p.name for p in path.parent.iterdir()] == [path.name]
