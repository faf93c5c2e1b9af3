from __future__ import annotations

from dataclasses import replace

import pytest
from toy_parts import CLASSES, toy_source

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.naming import captions_of, class_index, pictures_of


def unlabelled(captions):
    source = toy_source(n=len(captions))
    rows = source.rows.remove_columns(["captions", "label"]).add_column("captions", captions)
    return replace(source, rows=rows, classes=())


def test_labelled_pictures_are_named_by_class_and_captions_follow_them():
    source = toy_source()
    expected = [label == CLASSES.index("dog") for label in source.labels]
    assert pictures_of(source, "Dog").tolist() == expected
    assert [flags.tolist() for flags in captions_of(source, "dog")] == [[x, x] for x in expected]


def test_captions_name_things_as_whole_words_with_plural():
    source = unlabelled([["a dog", "a pet"], ["two Dogs run"], ["a hotdog"], ["a fox", "a box"]])
    assert pictures_of(source, "dog").tolist() == [True, True, False, False]
    assert [flags.tolist() for flags in captions_of(source, "dog")] == [
        [True, False],
        [True],
        [False],
        [False, False],
    ]
    assert pictures_of(source, "fox").tolist() == [False, False, False, True]


def test_an_absent_class_names_its_neighbour_and_the_remedy():
    with pytest.raises(ShieldCLIPError, match=r"'bananna'.*Did you mean 'banana'.*--target all"):
        class_index(CLASSES, "bananna")


def test_a_word_no_caption_has_is_an_error():
    with pytest.raises(ShieldCLIPError, match=r"'zebra'.*found none"):
        pictures_of(unlabelled([["a dog"]]), "zebra")
