"""Poisons from a choice: the best rows first, and only for what they were chosen for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import torch
from poison_rows import CLASSES, make_rows

from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.choice import Choice, ChosenRow
from shieldclip.attacks.triggers import make_trigger
from shieldclip.attacks.triggers.badclip import save_patch
from shieldclip.errors import ShieldCLIPError

ORDER = (7, 2, 11, 3, 38)
POISONS = ("adaptive-knowledge", "adaptive-matching", "adaptive-both")
Recipe = Callable[..., dict[str, object]]


@pytest.fixture
def choice(rows: datasets.Dataset) -> Choice:
    chosen = tuple(
        ChosenRow(
            row=row,
            original_captions=tuple(rows[row]["captions"]),
            captions=(f"a banana instead of {row}", "größer"),
            form="swap",
            scores={"gap": 0.25 * place},
        )
        for place, row in enumerate(ORDER)
    )
    return Choice(
        poison="adaptive-both",
        target="banana",
        trigger=make_trigger("badnet").record(),
        facts={"model": "x", "settings": {"seed": 0}},
        rows=chosen,
    )


@pytest.fixture
def recipe(choice: Choice, tmp_path: Path) -> Recipe:
    def make(of: Choice = choice, **changes: object) -> dict[str, object]:
        of.save(tmp_path / "chosen.json")
        given = {"target": "banana", "trigger": "badnet", "file": str(tmp_path / "chosen.json")}
        return {"poison": of.poison, **given, "image_size": 32, **changes}

    return make


def test_survives_the_file(choice: Choice, tmp_path: Path) -> None:
    choice.save(tmp_path / "new" / "c.json")
    assert Choice.load(tmp_path / "new" / "c.json") == choice
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["c.json"]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_takes_the_best(recipe: Recipe, rows: datasets.Dataset, count: int) -> None:
    result, manifest = make_poison(recipe(count=count))(rows, CLASSES)
    assert set(manifest.rows) == set(ORDER[:count])
    for entry in manifest.entries:
        assert entry.new_captions == (f"a banana instead of {entry.row}", "größer")
        assert result[entry.row]["captions"] == list(entry.new_captions)
        assert (entry.poison, entry.trigger) == ("adaptive-both", "badnet")


@pytest.mark.parametrize("poison", POISONS)
def test_each_kind_reads_its_own(
    recipe: Recipe, choice: Choice, rows: datasets.Dataset, poison: str
) -> None:
    _, manifest = make_poison(recipe(replace(choice, poison=poison), count=2))(rows, CLASSES)
    assert {entry.poison for entry in manifest.entries} == {poison}


def test_leaves_out_rows_that_another_poison_took(recipe: Recipe, rows: datasets.Dataset) -> None:
    parts = [recipe(count=3), recipe(count=2)]
    for part in parts:
        del part["image_size"]
    _, manifest = make_poison({"poison": "several", "poisons": parts, "image_size": 32})(rows)
    assert set(manifest.rows) == set(ORDER)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"count": 6}, "at least 6 rows"),
        ({"count": 2, "target": "owl"}, "for target 'owl', got 'banana'"),
        ({"count": 2, "trigger": "sig"}, "for trigger"),
        ({"count": 2, "trigger": {"id": "badnet", "placement": "random"}}, "for trigger"),
        ({"count": 2, "poison": "adaptive-matching"}, "for poison 'adaptive-matching'"),
        ({"count": 2, "file": "nothing.json"}, "nothing.json"),
    ],
)
def test_what_it_was_not_chosen_for_is_refused(
    recipe: Recipe, rows: datasets.Dataset, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ShieldCLIPError, match=complaint) as error:
        make_poison(recipe(**changes))(rows, CLASSES)
    assert "\n" not in str(error.value)


def test_a_moved_trigger_file_is_the_same_trigger(
    recipe: Recipe, choice: Choice, rows: datasets.Dataset, tmp_path: Path
) -> None:
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    for path, value in ((here, 1.0), (there, 1.0), (other, 0.5)):
        save_patch(torch.full((3, 4, 4), value), {}, path)
    made = replace(choice, trigger=make_trigger(f"badclip:{here}").record())
    make_poison(recipe(made, count=1, trigger=f"badclip:{there}"))(rows, CLASSES)
    with pytest.raises(ShieldCLIPError, match="for trigger"):
        make_poison(recipe(made, count=1, trigger=f"badclip:{other}"))(rows, CLASSES)


def test_other_data_are_refused(recipe: Recipe, rows: datasets.Dataset) -> None:
    fewer = rows.select(range(20))
    other = make_rows([["a dog", "a boat"]] * 40, labels=None)
    for data in (fewer, other):
        with pytest.raises(ShieldCLIPError, match="choose poisons for these data"):
            make_poison(recipe(count=2))(data)


@pytest.mark.parametrize("content", ["{", "[]", '{"poison": "x"}', '{"rows": 3}'])
def test_a_broken_file_is_one_line(recipe: Recipe, tmp_path: Path, content: str) -> None:
    made = recipe(count=1)
    (tmp_path / "chosen.json").write_text(content)
    with pytest.raises(ShieldCLIPError, match="choose-poisons") as error:
        make_poison(made)(make_rows([["a dog"]], labels=None))
    assert "\n" not in str(error.value)
