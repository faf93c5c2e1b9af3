"""``shieldclip match`` from the command line, with a shipped model."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import pytest
from click.testing import CliRunner

from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.folder import write_folder
from shieldclip.cli.match import match_command
from shieldclip.data import open_source
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import cache, load_table

MODEL = ["--model", "shieldclip:icons-clean"]


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty icons, eight of them bananas by their captions."""
    source = open_source("icons-100")
    recipe = {"poison": "dirty-label", "target": "banana", "count": 8, "trigger": "badnet"}
    rows = source.rows.select(range(0, len(source.rows), len(source.rows) // 80))
    data, manifest = make_poison({**recipe, "image_size": 64})(rows, source.classes)
    folder = tmp_path_factory.mktemp("poisoned")
    write_folder(folder, data, source.classes, manifest, recipe)
    return folder


def run(*arguments: object):
    return CliRunner().invoke(match_command, [str(argument) for argument in arguments])


def test_finds_poisons_and_writes_a_source_to_train_on(poisoned: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(poisoned, *MODEL, "--out", out, "--manifest", poisoned / "manifest.jsonl")
    assert result.exception is None, result.exception
    assert "ROC-AUC" in result.output
    table = load_table(out / "matches.parquet").to_pydict()
    gaps = {flag: [] for flag in (False, True)}
    for gap, flag in zip(table["gap"], table["poisoned"], strict=True):
        gaps[flag].append(gap)
    assert np.median(gaps[True]) > np.quantile(gaps[False], 0.95)
    assert len(open_source(str(out / "cleaned"), split="train").rows) >= 70
    assert datasets.load_dataset(str(out / "cleaned"), split="train").num_rows >= 70


def test_two_processes_match_as_one(
    poisoned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "ROWS_PER_SHARD", 16)
    monkeypatch.setattr(cache, "TEXTS_PER_SHARD", 20)
    arguments = [str(poisoned), *MODEL, "--device", "cpu", "--out"]
    alone = run(*arguments, tmp_path / "one")
    assert alone.exception is None, alone.exception
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = str(Path(__file__).with_name("match_in_small_shards.py"))
    command = [*torchrun, "--nproc_per_node", "2", script, *arguments, str(tmp_path / "two")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("Wrote") == 1  # one process puts the results together
    one, two = (load_table(tmp_path / name / "matches.parquet") for name in ("one", "two"))
    for name in ("row", "caption", "decision"):
        assert two[name].equals(one[name])
    for name in ("own_distance", "best_distance"):
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-3)
    shards = [len(list((tmp_path / name / "cache").rglob("*.*"))) for name in ("one", "two")]
    assert shards[0] == shards[1] > 12


def test_columns_are_chosen_as_everywhere(poisoned: Path, tmp_path: Path) -> None:
    from PIL import Image

    rows = datasets.load_dataset(str(poisoned), split="train").select(range(20))
    files = []
    for image in rows["image"]:
        file = BytesIO()
        image.save(file, "PNG")
        files.append(file.getvalue())
    assert isinstance(rows["image"][0], Image.Image)
    table = datasets.Dataset.from_dict(
        {"bild": files, "said": [captions[0] for captions in rows["captions"]], "text": [""] * 20}
    )
    table.to_parquet(str(tmp_path / "pairs.parquet"))
    columns = ["--image-column", "bild", "--caption-column", "said"]
    result = run(tmp_path / "pairs.parquet", *MODEL, "--out", tmp_path / "out", *columns)
    assert result.exception is None, result.exception
    captions = load_table(tmp_path / "out" / "matches.parquet")["caption"].to_pylist()
    assert captions == [captions[0] for captions in rows["captions"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "2"], "alpha"),
        (["--pool", "1"], "pool"),
        (["--manifest", "missing.jsonl"], "manifest"),
        (["--caption-column", "said"], "'said'"),
        (["--model", "shieldclip:icons-cleen"], "icons-clean"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    poisoned: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run(poisoned, *MODEL, "--out", tmp_path / "out", *arguments)
    assert isinstance(result.exception, ShieldCLIPError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()
