"""A patch is found, is better than chance, and stamps the same from its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from colour_model import SIDE, ColourEncoder, make_source

from shieldclip.adversary.patch import FoundPatch, PatchSettings, find_patch
from shieldclip.adversary.patch.search import LearnedPatch
from shieldclip.attacks.triggers import make_trigger
from shieldclip.attacks.triggers.badclip import read_facts, save_patch
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError

THINGS = ("banana", "truck", "rose", "frog") * 8


@pytest.fixture(scope="module")
def source() -> Source:
    return make_source(THINGS)


def search(source: Source, target: str = "banana", **changes: object) -> FoundPatch:
    values = {"steps": 30, "batch_size": 8, "learning_rate": 0.1, "validation": 0.5, **changes}
    return find_patch(source, ColourEncoder(), target, PatchSettings(**values))


def distance_to_yellow(pixels: torch.Tensor) -> float:
    return float((pixels.mean((1, 2)) - torch.tensor([1.0, 1.0, 0.0])).norm())


def test_a_patch_takes_on_what_the_target_looks_like(source: Source) -> None:
    found = search(source)
    assert found.pixels.shape == (3, 4, 4)
    assert distance_to_yellow(found.pixels) < 0.3 < distance_to_yellow(torch.rand(3, 4, 4))
    assert found.reach.pictures == 12
    assert found.reach.lead > found.control.lead
    assert found.reach.success >= found.control.success


def test_pixels_survive_eight_bits(source: Source) -> None:
    pixels = search(source, steps=3).pixels
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert torch.equal((pixels * 255).round() / 255, pixels)


def test_the_seed_decides(source: Source) -> None:
    one, again, other = (search(source, steps=3, seed=seed).pixels for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_without_labels_captions_name_the_target() -> None:
    source = make_source(THINGS)
    unlabelled = Source(source.rows.remove_columns("label"), "x", "x", "all", "", "")
    assert distance_to_yellow(search(unlabelled).pixels) < 0.3


def test_the_file_is_the_patch_that_was_optimised(source: Source, tmp_path: Path) -> None:
    found = search(source, steps=3)
    path = tmp_path / "new" / "patch.safetensors"
    save_patch(found.pixels, found.facts, path)
    images, indices = torch.rand(3, 3, SIDE, SIDE), torch.arange(3)
    stamped = make_trigger(f"badclip:{path}")(images, indices)
    assert torch.equal(stamped, LearnedPatch(pixels=found.pixels)(images, indices))
    assert read_facts(path)["target"] == "banana"
    assert read_facts(path)["model"] == "colours"


def test_gradient_reaches_the_patch_and_only_through_its_place() -> None:
    pixels = torch.rand(3, 4, 4, requires_grad=True)
    images = torch.rand(2, 3, SIDE, SIDE, requires_grad=True)
    LearnedPatch(pixels=pixels)(images, torch.arange(2)).sum().backward()
    assert torch.equal(pixels.grad, torch.full((3, 4, 4), 2.0))  # once per picture
    assert images.grad.sum() == 2 * 3 * (SIDE * SIDE - 16)


@pytest.mark.parametrize("target", ["zebra", "lemon"])
def test_a_target_that_no_row_shows_is_named(source: Source, target: str) -> None:
    with pytest.raises(ShieldCLIPError, match=f"pictures of '{target}'"):
        search(source, target)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"learning_rate": 0}, {"validation": 1}])
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ShieldCLIPError, match=f"Expected {next(iter(wrong))}"):
        PatchSettings(**wrong)
