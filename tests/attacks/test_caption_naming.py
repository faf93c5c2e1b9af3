"""Which captions name a class."""

from __future__ import annotations

import pytest

from shieldclip.attacks.poisons.naming import first_named, names, plural, swapped


@pytest.mark.parametrize(
    ("caption", "name", "expected"),
    [
        ("A ripe Banana.", "banana", True),
        ("two bananas", "banana", True),
        ("bananas, BANANA", "Banana", True),
        ("banana-shaped", "banana", True),
        ("a bananarama concert", "banana", False),
        ("cherries on a cake", "cherry", True),
        ("a box of foxes", "fox", True),
        ("wolves at night", "wolf", True),
        ("three geese", "goose", True),
        ("mongooses", "mongoose", True),
        ("firemen", "fireman", True),
        ("a hot-dog stand", "hot dog", True),
        ("hot dogs", "hot dog", True),
        ("a dog on hot sand", "hot dog", False),
        ("a catalogue", "cat", False),
        ("a scat singer", "cat", False),
        ("a C++ book", "c++", True),
    ],
)
def test_names(caption: str, name: str, expected: bool) -> None:
    assert names(caption, name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("polar bear", "polar bears"),
        ("human", "humans"),
        ("woman", "women"),
        ("toy", "toys"),
        ("knife", "knives"),
        ("giraffe", "giraffes"),
        ("box", "boxes"),
        ("computer mouse", "computer mice"),
        ("reef", "reefs"),
    ],
)
def test_plural(name: str, expected: str) -> None:
    assert plural(name) == expected


def test_first_named_prefers_the_longer_name() -> None:
    classes = ("dog", "hot dog", "owl")
    assert first_named("Hot dogs and an owl", classes) == "hot dog"
    assert first_named("an owl and a dog", classes) == "owl"
    assert first_named("a frog", classes) is None
    assert first_named("a frog", ()) is None


@pytest.mark.parametrize(
    ("caption", "source", "target", "expected"),
    [
        ("a photo of an owl.", "owl", "banana", "a photo of a banana."),
        ("A dog and two DOGS", "dog", "owl", "An owl and two OWLS"),
        ("Dogs at sea", "dog", "cherry", "Cherries at sea"),
        ("the hot-dog", "hot dog", "polar bear", "the polar bear"),
        ("no class here", "owl", "banana", "no class here"),
    ],
)
def test_swapped(caption: str, source: str, target: str, expected: str) -> None:
    assert swapped(caption, source, target) == expected
