"""``shieldclip poison`` from a file to a folder that opens again."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest
from captioned_pictures import write_captioned
from click.testing import CliRunner

from shieldclip.attacks.manifest import Manifest
from shieldclip.cli.poison import poison
from shieldclip.data import open_source
from shieldclip.errors import ShieldCLIPError

CLASSES = ["banana", "owl"]
RECIPE = "poison: dirty-label\ntarget: banana\ncount: 3\ntrigger: badnet\nimage_size: 32\n"


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Twelve rows in a parquet file."""
    captions = [f"a photo of a {CLASSES[row % 2]}" for row in range(12)]
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return write_captioned(tmp_path / "in.parquet", CLASSES, captions, (36, 40))


def arguments(source: str, *more: str) -> list[str]:
    folder = Path(source).parent
    return [source, "--recipe", f"{folder}/recipe.yaml", "--out", f"{folder}/out", *more]


def test_writes_a_folder_that_opens_again(source: str) -> None:
    result = CliRunner().invoke(poison, arguments(source), catch_exceptions=False)
    assert "Poisoned 3 of 12 rows" in result.output
    out = Path(source).parent / "out"
    names = {"README.md", "data.parquet", "manifest.jsonl", "recipe.yaml"}
    assert {path.name for path in out.iterdir()} == names

    manifest = Manifest.load(out / "manifest.jsonl")
    assert len(manifest.entries) == 3
    rows = datasets.load_dataset(str(out), split="train")
    assert rows.num_rows == 12
    assert all(image.size == (32, 32) for image in rows["image"])
    assert rows.features["label"].names == CLASSES
    changed = [row for row in range(12) if "banana" in rows[row]["captions"][0]]
    assert set(manifest.rows) <= set(changed)
    assert len(changed) == 6 + 3

    reopened = open_source(str(out))
    assert reopened.classes == tuple(CLASSES)
    assert list(reopened.rows["captions"]) == list(rows["captions"])


def test_seed_goes_into_the_recipe_copy(source: str) -> None:
    CliRunner().invoke(poison, arguments(source, "--seed", "8"), catch_exceptions=False)
    copy = (Path(source).parent / "out" / "recipe.yaml").read_text()
    assert copy == RECIPE + "seed: 8\n"


def test_an_impossible_recipe_is_one_line(source: str) -> None:
    (Path(source).parent / "recipe.yaml").write_text(RECIPE.replace("3", "300"))
    result = CliRunner().invoke(poison, arguments(source))
    assert isinstance(result.exception, ShieldCLIPError)
    assert not (Path(source).parent / "out" / "data.parquet").exists()


def test_a_used_folder_is_left_alone(source: str) -> None:
    out = Path(source).parent / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    result = CliRunner().invoke(poison, arguments(source))
    assert isinstance(result.exception, ShieldCLIPError)
    assert "empty folder" in str(result.exception)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
