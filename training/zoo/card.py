"""Model cards: a function of the run's record and the report."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2
import yaml
from zoo.entries import ZooEntry

from shieldclip.evaluation.report import EvalReport, Measurement

_TEMPLATE = Path(__file__).parent / "card.md.j2"


def render_card(entry: ZooEntry, folder: Path, report: EvalReport) -> str:
    """The card of one checkpoint.

    Args:
        entry: what the zoo says about it.
        folder: its folder, with `training.json` and, if poisoned, `poison.yaml`.
        report: a report that measured it.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["percent"] = _percent
    name = f"shieldclip:{entry.name}"
    model = next(model for model in report.models if model.name == name)
    poison = folder / "poison.yaml"
    history = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        entry=entry,
        model=model,
        runs=[run["settings"] for run in history],
        poison=yaml.safe_load(poison.read_text(encoding="utf-8")) if poison.exists() else None,
        data=report.data,
        accuracy=report.select("ca@1", model=name)[0],
        accuracy5=report.select("ca@5", model=name)[0],
        attacks=_attacks(report, name),
        versions=report.versions,
        suite=report.suite,
    )


def _attacks(report: EvalReport, model: str) -> list[dict[str, Measurement]]:
    """ASR and its two controls, one row a trigger."""
    return [
        {
            "asr": asr,
            "control": report.select("control", model=model, trigger=asr.trigger)[0],
            "control_trigger": report.select("control_trigger", model=model, trigger=asr.trigger)[
                0
            ],
            "ra": report.select("ra", model=model, trigger=asr.trigger)[0],
        }
        for asr in report.select("asr", model=model)
    ]


def _percent(measurement: Measurement) -> str:
    """``97.3 % [96.1, 98.2]``."""
    value, low, high = (100 * x for x in (measurement.value, measurement.low, measurement.high))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"
