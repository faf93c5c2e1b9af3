"""Runs -> folders of the zoo: weights in half precision, and the record of their making."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template
from transformers import CLIPProcessor
from zoo.entries import ZooEntry

from shieldclip.modeling import ShieldCLIPModel

RECIPE = "recipe.yaml"
TRAINED = Path(__file__).parent / "trained-plain.md.j2"


def install(entry: ZooEntry, runs: Path, zoo: Path) -> None:
    """Replace a zoo folder by what a finished run made."""
    run, folder = runs / (entry.run or entry.name), zoo / entry.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if (run / RECIPE).exists():
        _install_recipe_run(run, folder)
    else:
        _install_plain_run(run, folder)
    write_record(entry, folder)


def write_record(entry: ZooEntry, folder: Path, fingerprint: str = "") -> None:
    """What the package says about a checkpoint; its fingerprint once it was measured."""
    record = {**entry.record(), "fingerprint": fingerprint}
    (folder / "zoo.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def write_training_text(folder: Path) -> None:
    """`training.md`, which the card shows, from the settings of the runs of `train_plain.py`."""
    history = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    template = Template(TRAINED.read_text(encoding="utf-8"), undefined=StrictUndefined)
    text = template.render(runs=[run["settings"] for run in history])
    (folder / "training.md").write_text(text.rstrip() + "\n", "utf-8")


def _install_recipe_run(run: Path, folder: Path) -> None:
    """Of ``shieldclip train``: the last model, the recipe as resolved, the log."""
    ShieldCLIPModel.from_pretrained(run / "last").half().save_pretrained(folder)
    CLIPProcessor.from_pretrained(run / "last").save_pretrained(folder)
    shutil.copyfile(run / RECIPE, folder / RECIPE)
    _write_history(folder, _lines(run / "log.jsonl"))


def _install_plain_run(run: Path, folder: Path) -> None:
    """Of `train_plain.py`: a checkpoint in half precision, and the records of its stages."""
    for file in (run / "checkpoint").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    if (run / "poison.yaml").exists():
        shutil.copyfile(run / "poison.yaml", folder / "poison.yaml")
    _write_history(folder, _stages(run))
    write_training_text(folder)


def _stages(run: Path) -> list[dict[str, Any]]:
    """Settings and log of a run and of those it continued, the first one first."""
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    before = _stages(run.parent / settings["start"]) if settings["start"] else []
    return [*before, {"settings": settings, "log": _lines(run / "log.jsonl")}]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    (folder / "training.json").write_text(json.dumps(history, indent=1) + "\n", "utf-8")
