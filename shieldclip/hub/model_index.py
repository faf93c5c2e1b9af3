"""Figures of a report -> the ``model-index`` of a card."""

from __future__ import annotations

from typing import Any

from huggingface_hub import EvalResult

from shieldclip.evaluation.attack_rows import ATTACKED, attack_rows, worst_targets
from shieldclip.evaluation.facts import all_data
from shieldclip.evaluation.figures import metric_name
from shieldclip.evaluation.report import EvalReport, Measurement

CLASSIFICATION = "zero-shot-image-classification"
_TASKS = {"r@": "retrieval", "hit@": "retrieval", "min_rank": "retrieval", "median": "retrieval"}


def eval_results(report: EvalReport) -> list[EvalResult]:
    """One result a figure; of an attack tried on many targets, those of the worst ones.

    The library merges results on equal data into one, keeping only the first one's task name and
    data set arguments, so what tells attacks apart stands in the metric: its name and arguments.
    """
    attacks = attack_rows(report)
    shown = {_attack(row.asr) for row in worst_targets(attacks)}
    splits = {data.name: data for data in all_data(report)}
    return [
        EvalResult(
            task_type=next(
                (t for p, t in _TASKS.items() if m.metric.startswith(p)), CLASSIFICATION
            ),
            dataset_type=splits[m.data].source if m.data in splits else m.data,
            dataset_name=m.data,
            dataset_split=(splits[m.data].split or None) if m.data in splits else None,
            metric_type=m.metric,
            metric_name=_name(m),
            metric_value=float(m.value),
            metric_args=_arguments(m),
        )
        for m in report.measurements
        if m.metric not in ATTACKED or _attack(m) in shown
    ]


def _attack(m: Measurement) -> tuple[str, str | None, str | None, str]:
    return m.model, m.trigger, m.target, m.data


def _name(m: Measurement) -> str:
    """``ASR (badnet to banana)``."""
    parts = [m.trigger or "", f"to {m.target}" if m.target else ""]
    attack = " ".join(part for part in parts if part)
    return f"{metric_name(m.metric)} ({attack})" if attack else metric_name(m.metric)


def _arguments(m: Measurement) -> dict[str, Any]:
    """Plain values only: others become Python objects in YAML."""
    known = {"trigger": m.trigger, "target": m.target}
    figures = {"n": int(m.n), "low": float(m.low), "high": float(m.high)}
    return {key: value for key, value in known.items() if value is not None} | figures
