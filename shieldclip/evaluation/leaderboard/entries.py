"""Reports -> one entry a checkpoint, best first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.attack_rows import AttackRow, attack_rows, worst_targets
from shieldclip.evaluation.report import DataInfo, EvalReport, Measurement, ModelInfo
from shieldclip.evaluation.verdict import Outcome, verdicts


@dataclass(frozen=True)
class Entry:
    """What is known of one checkpoint on one data set."""

    name: str
    """The model's, with that of its report where several have the same."""
    model: ModelInfo
    outcome: Outcome
    accuracy: Measurement | None
    """CA@1."""
    attacks: Mapping[str, AttackRow]
    """By trigger, towards its worst target."""

    @property
    def worst(self) -> AttackRow | None:
        """The attack that succeeds most surely beyond its control."""
        return max(self.attacks.values(), key=lambda row: row.severity, default=None)


def gather(reports: Mapping[str, EvalReport]) -> tuple[Entry, ...]:
    """Join reports; several on the same weights become one entry.

    Args:
        reports: by a label each, e.g. the file's name.

    Returns:
        Entries, those first whose worst attack does least; among equals the more accurate.

    Raises:
        ShieldCLIPError: no report, or reports on different data, which cannot be compared.
    """
    data_of(reports)
    found: dict[str, list[tuple[str, EvalReport, ModelInfo]]] = {}
    for label, report in reports.items():
        for model in report.models:
            found.setdefault(model.fingerprint, []).append((label, report, model))
    names = _names({key: parts[0] for key, parts in found.items()})
    entries = [_entry(names[key], parts) for key, parts in found.items()]
    return tuple(sorted(entries, key=_rank))


def data_of(reports: Mapping[str, EvalReport]) -> DataInfo:
    """The data set that all reports are on.

    Raises:
        ShieldCLIPError: there is none, or there are several.
    """
    if not reports:
        raise ShieldCLIPError("Expected at least one report to compare, got none; name a file.")
    (first, data), *others = ((label, report.data) for label, report in reports.items())
    for label, other in others:
        if other.fingerprint != data.fingerprint:
            raise ShieldCLIPError(
                f"Expected reports on the same data, got {data.name} ({data.split}) in {first} and "
                f"{other.name} ({other.split}) in {label}; compare them apart, or measure again."
            )
    return data


def triggers_of(entries: Iterable[Entry]) -> list[str]:
    """Every trigger that was tried on some checkpoint, in the order of the reports."""
    return list(dict.fromkeys(trigger for entry in entries for trigger in entry.attacks))


def _entry(name: str, parts: Sequence[tuple[str, EvalReport, ModelInfo]]) -> Entry:
    accuracies: list[Measurement] = []
    rows: list[AttackRow] = []
    outcomes: list[Outcome] = []
    for _, report, model in parts:
        own = replace(
            report,
            models=(model,),
            measurements=tuple(m for m in report.measurements if m.model == model.name),
        )
        accuracies += own.select("ca@1", data=report.data.name)
        rows += [row for row in attack_rows(own) if row.asr.data == report.data.name]
        outcomes += [verdict.outcome for verdict in verdicts(own)]
    return Entry(
        name=name,
        model=parts[0][2],
        outcome=min(outcomes, key=GRAVITY.index),
        accuracy=accuracies[0] if accuracies else None,
        attacks=_by_trigger(rows),
    )


GRAVITY: tuple[Outcome, ...] = ("backdoored", "suspicious", "clean", "untested")
"""Gravest first."""


def _by_trigger(rows: Sequence[AttackRow]) -> dict[str, AttackRow]:
    """Of each trigger the worst target, over all reports."""
    same = [replace(row, asr=replace(row.asr, model="")) for row in rows]
    return {str(row.asr.trigger): row for row in worst_targets(same, limit=1)}


def _names(firsts: Mapping[str, tuple[str, EvalReport, ModelInfo]]) -> dict[str, str]:
    """Names by fingerprint; where two are equal, each with the label of its report."""
    names = [model.name for _, _, model in firsts.values()]
    return {
        key: model.name if names.count(model.name) == 1 else f"{label}: {model.name}"
        for key, (label, _, model) in firsts.items()
    }


def _rank(entry: Entry) -> tuple[bool, float, float]:
    worst = entry.worst.severity[0] if entry.worst else 0.0
    accuracy = entry.accuracy.value if entry.accuracy else 0.0
    return entry.worst is None, round(worst, 3), -accuracy
