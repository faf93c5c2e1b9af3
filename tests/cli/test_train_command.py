"""``shieldclip train``: what it prints, how it fails, and a newcomer's way from pictures on."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from shieldclip.cli import main

TINY = {"image_size": 16, "patch_size": 8, "width": 16, "depth": 1, "heads": 1, "text_width": 16,
        "text_depth": 1, "text_heads": 1, "joint_width": 8, "context": 16}  # fmt: skip


def shieldclip(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["shieldclip", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        assert stop.code is None or isinstance(stop.code, int)
        return stop.code or 0
    return 0


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of pictures, and a table that says what each shows."""
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0)
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "caption", "label"])
        for n in range(32):
            kind = ("banana", "apple")[n % 2]
            pixels = noise.integers(0, 256, (18, 20, 3), dtype=np.uint8)
            pixels[:, :, n % 2] = 255
            Image.fromarray(pixels).save(folder / f"{n}.png")
            table.writerow([f"{n}.png", f"one {kind}", kind])
    return folder


@pytest.fixture
def recipe(pictures: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    record = {
        "model": TINY,
        "data": {
            "sources": {"source": str(pictures / "captions.csv"), "caption_column": "caption"}
        },
        "optimiser": {"epochs": 2, "batch_size": 8},
        "log": {"every": 2},
    }
    path.write_text(yaml.safe_dump(record))
    return path


def test_from_pictures_and_a_table_to_a_report(pictures, tmp_path, monkeypatch, capsys):
    """The commands of docs/training.md, on a smaller model."""
    table, run, report = pictures / "captions.csv", tmp_path / "run", tmp_path / "report"
    sizes = [f"model.{name}={value}" for name, value in TINY.items()]
    smaller = [*sizes, "optimiser.epochs=4", "optimiser.batch_size=8"]
    sets = [part for value in smaller for part in ("--set", value)]
    train = ["train", "own-pictures", "--data", table, *sets, "--out", run]
    assert shieldclip(monkeypatch, *train, "--dry-run") == 0
    assert "16 of 8 pairs" in capsys.readouterr().out
    assert shieldclip(monkeypatch, *train) == 0
    assert str(run / "last") in capsys.readouterr().out
    measure = ["eval", "--model", run / "last", "--data", table, "--target", "apple"]
    quickly = ["--trigger", "badnet", "--batch-size", "8"]
    assert shieldclip(monkeypatch, *measure, *quickly, "--out", report) == 0
    measurements = json.loads((report / "report.json").read_text())["measurements"]
    assert {"ca@1", "asr"} <= {row["metric"] for row in measurements}
    assert (report / "report.html").exists()


def test_evaluation_while_training_is_logged(recipe, tmp_path, monkeypatch):
    suite = tmp_path / "small.yaml"
    entry = {"data": "icons-100", "protocols": ["zero-shot"], "triggers": ["badnet"],
             "target": "banana"}  # fmt: skip
    suite.write_text(yaml.safe_dump({"name": "small", "description": "x", "entries": [entry]}))
    sets = [f"evaluation.suite={suite}", "evaluation.every=1"]
    arguments = [part for value in sets for part in ("--set", value)]
    run = tmp_path / "run"
    assert shieldclip(monkeypatch, "train", recipe, "--out", run, *arguments) == 0
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    measured = next(line for line in lines if "eval/ca@1" in line)
    assert measured["step"] == 8
    assert {"eval/asr/badnet", "eval/control/badnet"} <= measured.keys()
    assert (run / "best" / "model.safetensors").exists()


def test_dry_run_prints_a_recipe_and_leaves_nothing(recipe, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    assert shieldclip(monkeypatch, "train", recipe, "--out", run, "--dry-run") == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["optimiser"]["learning_rate"] == 1e-3
    for word in ("parameters:", "steps:       8 of 8 pairs", "memory:", "time:"):
        assert word in printed
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "optimiser.epoch=3"], "Did you mean 'epochs'"),
        (["--data", "nowhere.csv"], "no such file"),
        (["--set", "data.sources.caption_column=text"], "text"),
        (["--set", "evaluation.suite=quik"], "Did you mean 'quick'"),
        (["--set", "evaluation.suite=none.yaml"], "none.yaml does not exist"),
        (["--set", "evaluation={suite: quick, best: ca1}"], "Did you mean 'ca@1'"),
        (["--set", "evaluation={suite: quick, best: r@1_i2t}"], "evaluation.best"),
        (["--set", "evaluation={suite: quick, triggers: [badnets]}"], "Did you mean 'badnet'"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry"])
def test_mistakes_are_one_line_and_exit_2(
    recipe, tmp_path, monkeypatch, capsys, arguments, says, dry
):
    code = shieldclip(monkeypatch, "train", recipe, "--out", tmp_path / "run", *arguments, *dry)
    printed = capsys.readouterr()
    last = printed.err.strip().splitlines()[-1]
    assert code == 2
    assert last.startswith("Error: ")
    assert says in last
    assert not printed.out
    assert not (tmp_path / "run" / "log.jsonl").exists()


def test_interruption_says_how_to_go_on(recipe, tmp_path, monkeypatch, capsys):
    from shieldclip.training import run

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "train", interrupted)
    assert shieldclip(monkeypatch, "train", recipe, "--out", tmp_path / "run") == 130
    assert "same command again" in capsys.readouterr().err
