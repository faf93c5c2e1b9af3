"""What a report covers: how to repeat it, and what it leaves open."""

from __future__ import annotations

import shlex

from shieldclip.attacks.texts import TEXT_TRIGGERS
from shieldclip.attacks.triggers import TRIGGERS
from shieldclip.evaluation.facts import all_data
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.suite import Suite, load_suite, shipped_suites

_PROTOCOLS = {
    "asr": "triggers on pictures, in classification",
    "hit@": "retrieval under attack, by pictures or by text triggers",
    "psr": "poisoning without a trigger (particular pictures or pairs of classes)",
    "probe": "a linear probe on the features",
}
"""How a metric begins -> what it measures."""


def command(report: EvalReport) -> str:
    """The command that measures the report's one model like this again."""
    shipped = shipped_suites().get(report.suite)
    suite = load_suite(shipped) if shipped else None
    words = ["shieldclip", "eval", "--model", report.models[0].name, "--suite", report.suite]
    if report.data.source not in _sources(suite):
        words += ["--data", report.data.source]
        words += ["--split", report.data.split] if report.data.split else []
    triggers, targets = _tried(report, "trigger"), _tried(report, "target")
    if triggers and triggers != _asked(suite, "triggers") | _asked(suite, "text_triggers"):
        words += [word for trigger in sorted(triggers) for word in ("--trigger", trigger)]
    if targets and targets != _asked(suite, "target"):
        words += ["--target", *(targets if len(targets) == 1 else ["all"])]
    words += ["--seed", str(report.seed)] if report.seed else []
    return shlex.join(words)


def untested(report: EvalReport) -> list[str]:
    """What could have been tried and was not, one phrase each."""
    triggers, targets = _tried(report, "trigger"), _tried(report, "target")
    metrics = {m.metric for m in report.measurements}
    known = [name for name, kind in TRIGGERS.items() if not kind.needs_path()]
    left = [name for name in (*known, *TEXT_TRIGGERS) if name not in triggers]
    gaps = ["triggers that were optimised against this very model, and any physical object"]
    if left:
        gaps.append(f"of the triggers that ship with ShieldCLIP: {', '.join(left)}")
    if targets:
        gaps.append(f"targets other than {', '.join(sorted(targets)[:8])}")
    gaps += [
        what
        for start, what in _PROTOCOLS.items()
        if not any(metric.startswith(start) for metric in metrics)
    ]
    names = ", ".join(data.name for data in all_data(report))
    return [*gaps, f"pictures and classes other than those of {names}"]


def _tried(report: EvalReport, field: str) -> set[str]:
    return {getattr(m, field) for m in report.measurements} - {None}


def _sources(suite: Suite | None) -> set[str]:
    return {entry.data.source for entry in suite.entries} if suite else set()


def _asked(suite: Suite | None, field: str) -> set[str]:
    found: set[str] = set()
    for entry in suite.entries if suite else ():
        value = getattr(entry, field)
        found |= {value} if isinstance(value, str) else set(value or ())
    return found
