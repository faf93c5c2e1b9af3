"""Model cards: a function of the run's record and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import yaml
from zoo.entries import ZooEntry
from zoo.shares import percent

from shieldclip.evaluation.report import EvalReport, Measurement
from shieldclip.training.defences import DEFENCES

_TEMPLATES = Path(__file__).parent


def render_card(entry: ZooEntry, folder: Path, report: EvalReport) -> str:
    """The card of one checkpoint.

    Args:
        entry: what the zoo says about it.
        folder: its folder, with `recipe.yaml`, or `training.json` and, if poisoned, `poison.yaml`.
        report: a report that measured it.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = percent
    name = f"shieldclip:{entry.name}"
    model = next(model for model in report.models if model.name == name)
    return environment.get_template("card.md.j2").render(
        entry=entry,
        model=model,
        **_training(folder),
        data=report.data,
        accuracy=report.select("ca@1", model=name)[0],
        accuracy5=report.select("ca@5", model=name)[0],
        attacks=_attacks(report, name),
        versions=report.versions,
        suite=report.suite,
    )


def _training(folder: Path) -> dict[str, Any]:
    """The template about training, and what it shows."""
    if (folder / "recipe.yaml").exists():
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        return {
            "training": "trained-by-recipe.md.j2",
            "recipe": recipe,
            "needs_knowledge": DEFENCES[recipe["defence"]["name"]].needs_knowledge,
        }
    poison = folder / "poison.yaml"
    history = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return {
        "training": "trained-plain.md.j2",
        "runs": [run["settings"] for run in history],
        "poison": yaml.safe_load(poison.read_text(encoding="utf-8")) if poison.exists() else None,
    }


def _attacks(report: EvalReport, model: str) -> list[dict[str, Measurement]]:
    """ASR, its two controls and RA, one row a trigger."""
    return [
        {
            metric: report.select(metric, model=model, trigger=asr.trigger)[0]
            for metric in ("asr", "control", "control_trigger", "ra")
        }
        for asr in report.select("asr", model=model)
    ]
