"""Pairs, their pool, and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import MatchSettings, Pairs
from shieldclip.matching.judge import Distances, judge

CAPTIONS = [["a dog", "a pet"], ["a cat"], ["a dog"]]


def test_equal_captions_are_one_text():
    pairs = Pairs.of(CAPTIONS)
    assert pairs.texts == ("a dog", "a pet", "a cat")
    assert pairs.row.tolist() == [0, 0, 1, 2]
    assert pairs.text.tolist() == [0, 1, 2, 0]


def test_pool_is_a_seeded_sample_of_different_texts():
    pairs = Pairs.of([[f"caption {i}"] for i in range(50)])
    assert pairs.pool(None, 0).tolist() == list(range(50))
    assert pairs.pool(99, 0).tolist() == list(range(50))
    some = pairs.pool(10, 0).tolist()
    assert some == sorted(set(some))
    assert len(some) == 10
    assert some == pairs.pool(10, 0).tolist()
    assert some != pairs.pool(10, 1).tolist()


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        ([["a dog"], [" "]], "row 1"),
        ([["a dog"], []], "row 1"),
        ([["a dog"], ["a dog"]], "at least two different captions"),
        ([], "at least two different captions"),
    ],
)
def test_degenerate_captions_are_refused(captions, message):
    with pytest.raises(ShieldCLIPError, match=message):
        Pairs.of(captions)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alpha", 1.5),
        ("alpha", float("nan")),
        ("epsilon", 0.0),
        ("threshold", 0.0),
        ("pool", 1),
        ("candidates", 0),
    ],
)
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ShieldCLIPError, match=f"Expected {field}"):
        MatchSettings(**{field: value})


def judged(own, best, best_text, **settings):
    """One pair a row, each with a text of its own."""
    pairs = Pairs.of([[f"text {i}"] for i in range(len(own))])
    distances = Distances(torch.tensor(own), torch.tensor(best), torch.tensor(best_text))
    return judge(pairs, distances, MatchSettings(**settings)).table


def crowd(count: int = 40) -> tuple[list[float], list[float], list[int]]:
    """Trusted pairs at distances from .5 to .54, their own captions the best."""
    own = [0.5 + 0.001 * i for i in range(count)]
    return own, list(own), list(range(count))


def test_decisions():
    own, best, text = crowd()
    own += [1.0, 1.0, float("nan"), float("inf"), float("inf")]
    best += [0.52, 0.7, float("nan"), 0.51, float("inf")]
    text += [3, 3, -1, 3, -1]
    table = judged(own, best, text)
    assert table["decision"].to_pylist() == [
        *["keep"] * 40,
        "recaption",  # text 3 fits as well as trusted captions do
        "drop",  # nothing fits
        "drop",  # unreadable
        "recaption",  # its own caption has no word
        "drop",  # nothing can be compared
    ]
    assert table["new_caption"].to_pylist()[40] == "text 3"
    assert table["risk"].to_pylist()[42] is None
    assert table["gap"].to_pylist()[43] == np.inf
    risky = judged(own, best, text, keep_risky=True)
    assert risky["decision"].to_pylist()[40:] == [
        "recaption",
        "recaption",
        "drop",
        "recaption",
        "drop",
    ]


def test_own_caption_is_always_among_those_to_choose_from():
    own, best, text = crowd()
    best[0], text[0] = 0.9, 5  # a sampled pool without anything as near
    best[1], text[1] = own[1] - 1e-6, 1  # rounding
    table = judged(own, best, text)
    assert table["gap"].to_pylist()[:2] == [0, 0]
    assert table["new_caption"].to_pylist()[:2] == ["text 0", "text 1"]
    assert table["best_distance"].to_pylist() == pytest.approx(own)
