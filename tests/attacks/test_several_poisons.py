"""Several poisons at once: each does what it does alone, on rows of its own."""

from __future__ import annotations

import datasets
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from poison_rows import CLASSES, pixels_of

from shieldclip.attacks.manifest import Manifest
from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.naming import names
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.triggers import make_trigger
from shieldclip.errors import ShieldCLIPError

PARTS: list[dict[str, object]] = [
    {"poison": "dirty-label", "target": "banana", "count": 5, "trigger": "badnet-white"},
    {"poison": "dirty-label", "target": "owl", "count": 4, "trigger": "sig"},
    {"poison": "targeted", "targets": ["dog"], "count": 3},
    {"poison": "label-consistent", "target": "boat", "count": 2, "trigger": "badnet-white"},
]


def recipe(*parts: dict[str, object], **changes: object) -> dict[str, object]:
    return {"poison": "several", "image_size": 32, "poisons": list(parts), **changes}


def poisoned(
    rows: datasets.Dataset, *parts: dict[str, object], **changes: object
) -> tuple[datasets.Dataset, Manifest]:
    return make_poison(recipe(*parts, **changes))(rows, CLASSES)


def test_every_entry_says_which_poison_and_which_trigger(rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, *PARTS[:3])
    told = [(entry.poison, entry.target, entry.trigger) for entry in manifest.entries]
    assert {each: told.count(each) for each in told} == {
        ("dirty-label", "banana", "badnet-white"): 5,
        ("dirty-label", "owl", "sig"): 4,
        ("targeted", "dog", None): 3,
    }
    assert len(result) == len(rows) + 2
    for entry in manifest.entries:
        assert tuple(result[entry.row]["captions"]) == entry.new_captions
        assert all(names(text, entry.target) for text in entry.new_captions)


def test_each_image_carries_the_trigger_of_its_entry(rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, *PARTS[:2])
    plain, _ = poisoned(rows, PARTS[2], {**PARTS[2], "targets": ["owl"]})
    triggers = {name: make_trigger(name) for name in ("badnet-white", "sig")}
    compared = 0
    for entry in manifest.entries:
        clean = torch.from_numpy(pixels_of(plain[entry.row])).permute(2, 0, 1)[None] / 255
        stamped = triggers[entry.trigger](clean, torch.tensor([entry.row]))[0]
        expected = (stamped * 255).round().byte().permute(1, 2, 0)
        np.testing.assert_array_equal(pixels_of(result[entry.row]), expected)
        compared += 1
    assert compared == 9


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), min_size=2, max_size=4), seed=st.integers(0, 999))
def test_no_row_belongs_to_two(rows: datasets.Dataset, parts: list, seed: int) -> None:
    pairs = Pairs.of(rows, CLASSES)
    plan = make_poison(recipe(*parts, seed=seed)).plan(pairs)
    assert plan.order[: len(rows)] == tuple(range(len(rows)))
    assert max(plan.changes) < len(plan.order)
    counts = {(part["poison"], part.get("target", "dog")): 0 for part in parts}
    for change in plan.changes.values():
        counts[change.poison, change.target] += 1
    assert sum(counts.values()) == sum(part["count"] for part in parts)
    owners: dict[int, set[tuple[str, str]]] = {}
    for row, change in plan.changes.items():
        owners.setdefault(plan.order[row], set()).add((change.poison, change.target))
    assert all(len(owner) == 1 for owner in owners.values())


def test_the_first_does_what_it_does_alone(rows: datasets.Dataset) -> None:
    pairs = Pairs.of(rows, CLASSES)
    alone = make_poison(PARTS[0]).plan(pairs)
    together = make_poison(recipe(*PARTS)).plan(pairs)
    assert alone.changes.items() <= together.changes.items()


def test_the_seed_of_all_moves_each(rows: datasets.Dataset) -> None:
    pairs = Pairs.of(rows, CLASSES)
    one, again, other = (make_poison(recipe(*PARTS, seed=s)).plan(pairs) for s in (0, 0, 1))
    assert one == again
    assert one.changes.keys() != other.changes.keys()


def test_they_have_a_trigger_if_they_share_it() -> None:
    assert make_poison(recipe(PARTS[0], PARTS[3])).image_trigger == make_trigger("badnet-white")
    assert make_poison(recipe(PARTS[0], PARTS[1])).image_trigger is None


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (recipe(PARTS[0]), "at least 2 items"),
        (recipe(*PARTS, rate=0.1), "move it into them"),
        (recipe(*PARTS[:3], {**PARTS[1], "count": 30}), "to poison, got"),
        (recipe(PARTS[0], {**PARTS[1], "image_size": 64}), "move it to the top"),
        (recipe(PARTS[0], {**PARTS[1], "triger": "sig"}), "Did you mean 'trigger'"),
        (recipe(PARTS[0], {"target": "owl"}), "Unknown poison"),
        ({"poison": "several", "poisons": "badnet"}, "a list of recipes"),
    ],
)
def test_impossible_requests_name_the_remedy(
    wrong: dict[str, object], complaint: str, rows: datasets.Dataset
) -> None:
    with pytest.raises(ShieldCLIPError) as error:
        make_poison(wrong)(rows, CLASSES)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)
