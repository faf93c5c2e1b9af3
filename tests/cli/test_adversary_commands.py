"""``optimize-trigger`` and ``choose-poisons``, and what ``poison`` makes of their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from captioned_pictures import write_captioned
from click import Command, Context
from click.testing import CliRunner

from shieldclip.attacks.manifest import Manifest
from shieldclip.cli import COMMANDS, cli
from shieldclip.cli.choose_poisons import choose_poisons_command
from shieldclip.cli.optimize_trigger import optimize_trigger
from shieldclip.cli.poison import poison

CLASSES = ["banana", "owl", "dog"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Twelve noisy pictures in a parquet file."""
    captions = [f"a photo of a {CLASSES[row % 3]}, number {row}" for row in range(12)]
    return write_captioned(tmp_path / "in.parquet", CLASSES, captions, (32, 32))


def run(command: Command, *arguments: object) -> str:
    texts = [str(argument) for argument in arguments]
    return CliRunner().invoke(command, texts, catch_exceptions=False).output


def test_from_a_checkpoint_to_poisons_against_it(
    source: str, tiny_clip_folder: Path, tmp_path: Path
) -> None:
    patch, chosen = tmp_path / "patch.safetensors", tmp_path / "chosen.json"
    common = ("--model", tiny_clip_folder, "--target", "banana", "--device", "cpu")
    said = run(optimize_trigger, "--data", source, *common, "--steps", 2, "--out", patch)
    assert "held-out pictures" in said
    assert f"badclip:{patch}" in said

    trigger = f"badclip:{patch}"
    knowledge = tmp_path / "knowledge.json"
    knowledge.write_text('{"banana": ["yellow"], "owl": ["feathers"], "dog": ["fur"]}')
    given = ("--trigger", trigger, "--knowledge", knowledge, "--out", chosen)
    assert "Ordered 8 pictures" in run(choose_poisons_command, source, *common, *given)

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"poison: adaptive-both\nfile: {chosen}\ntarget: banana\ncount: 3\n"
        f"trigger: {trigger}\nimage_size: 32\n"
    )
    assert "Poisoned 3 of 12" in run(poison, source, "--recipe", recipe, "--out", tmp_path / "out")
    manifest = Manifest.load(tmp_path / "out" / "manifest.jsonl")
    assert {(entry.poison, entry.trigger) for entry in manifest.entries} == {
        ("adaptive-both", "badclip")
    }
    assert all(row % 3 for row in manifest.rows)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_found_by_its_name(name: str) -> None:
    command = cli.get_command(Context(cli), name)
    assert command is not None
    assert command.name == name
