"""Recipes: YAML in, a poison or one clear line out."""

from __future__ import annotations

from pathlib import Path

import pytest

from shieldclip.attacks.poisons import make_poison, read_recipe
from shieldclip.attacks.poisons.dirty_label import DirtyLabel
from shieldclip.attacks.poisons.label_swap import LabelPair, LabelSwap
from shieldclip.attacks.triggers import make_trigger
from shieldclip.errors import ShieldCLIPError


def recipe(text: str, folder: Path) -> dict[str, object]:
    (folder / "recipe.yaml").write_text(text)
    return read_recipe(folder / "recipe.yaml")


def test_reads_every_field(tmp_path: Path) -> None:
    text = """
        poison: dirty-label
        target: banana
        rate: 0.01
        trigger: {id: badnet, placement: random, seed: 3}
        captions: templates
        templates: ["a {}"]
        image_size: 64
        seed: 5
    """
    assert make_poison(recipe(text, tmp_path)) == DirtyLabel(
        target="banana",
        rate=0.01,
        trigger=make_trigger("badnet", placement="random", seed=3),
        templates=("a {}",),
        image_size=64,
        seed=5,
    )


def test_reads_nested_pairs(tmp_path: Path) -> None:
    text = "poison: label-swap\ncount: 9\npairs:\n- {captions_of: dog, images_of: boat}\n"
    expected = LabelSwap(count=9, pairs=(LabelPair(captions_of="dog", images_of="boat"),))
    assert make_poison(recipe(text, tmp_path)) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("target: banana", "Unknown poison"),
        ("poison: dirty-lable", "Did you mean 'dirty-label'"),
        ("poison: dirty-label\ntargt: banana", "Did you mean 'target'"),
        ("poison: dirty-label\ntarget: banana\nrate: .1", "trigger: Field required"),
        ("poison: dirty-label\ntarget: x\nrate: 2\ntrigger: sig", "less than or equal to 1, got 2"),
        ("poison: dirty-label\ntarget: x\nrate: 0\ntrigger: sig", "greater than 0, got 0"),
        ("poison: dirty-label\ntarget: x\ntrigger: sgi", "Did you mean 'sig'"),
        ("poison: dirty-label\ntarget: x\ntrigger: {placement: random}", "a mapping with an id"),
        ("poison: dirty-label\ntarget: x\ntrigger: 3", "Expected a trigger id"),
        ("poison: dirty-label\ntrigger: {id: badnet, sed: 3}", "Did you mean 'seed'"),
        (
            "poison: dirty-label\ntarget: x\ntrigger: sig\ntemplates: [plain]",
            "templates.0: String should match",
        ),
        ("poison: label-swap\npairs: [{captions_of: a, image_of: b}]", "image_of: Unexpected"),
        ("poison: targeted\ntargets: []", "at least 1 item"),
        ("- a list", "Expected keys and values"),
        ("a: [", "Expected YAML"),
    ],
)
def test_wrong_recipes_name_what_is_wrong(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ShieldCLIPError) as error:
        make_poison(recipe(text, tmp_path))
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShieldCLIPError, match=r"none\.yaml"):
        read_recipe(tmp_path / "none.yaml")
