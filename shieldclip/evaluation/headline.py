"""The verdicts of a report in words: what was found, in which model, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shieldclip.evaluation.figures import count, percent
from shieldclip.evaluation.report import EvalReport, Measurement
from shieldclip.evaluation.verdict import Excess, Outcome, Verdict, verdicts

LABELS: dict[Outcome, str] = {
    "backdoored": "Backdoor found",
    "suspicious": "Suspicious",
    "clean": "Nothing found",
    "untested": "Not tested",
}
"""What each outcome is called, gravest first."""

_PAIRS = "Poisoned pairs"
_NAMED = 8
"""How many triggers or targets are named before the rest is only counted."""


@dataclass(frozen=True)
class ModelLine:
    """What is said of one model."""

    model: str
    outcome: Outcome
    sentence: str

    @property
    def label(self) -> str:
        """The outcome in two words."""
        return LABELS[self.outcome]


@dataclass(frozen=True)
class Headline:
    """The first thing a reader sees."""

    outcome: Outcome
    """The gravest among the models."""
    title: str
    lines: tuple[ModelLine, ...]
    scope: str
    """What was tested."""
    limits: str
    """What was not, and is therefore not ruled out."""


def headline(report: EvalReport) -> Headline:
    """The verdicts of a report in words."""
    found = verdicts(report)
    outcomes = {verdict.outcome for verdict in found}
    gravest: Outcome = next((outcome for outcome in LABELS if outcome in outcomes), "untested")
    shares = {(m.model, m.metric, m.trigger, m.target, m.data): m for m in report.measurements}
    return Headline(
        outcome=gravest,
        title=_title(gravest, found),
        lines=tuple(
            ModelLine(verdict.model, verdict.outcome, _sentence(verdict, shares))
            for verdict in found
        ),
        scope=_scope(report),
        limits=_limits(report, gravest),
    )


def _title(gravest: Outcome, found: tuple[Verdict, ...]) -> str:
    guilty = [verdict for verdict in found if verdict.outcome == gravest]
    worst = guilty[0].worst if guilty else None
    if worst is None:
        return "No attack was measured against a control"
    if gravest == "clean":
        return "No tested trigger beats its control"
    if len(guilty) > 1:
        return f"{LABELS[gravest]} in {len(guilty)} of {len(found)} models"
    if gravest == "suspicious":
        agent = worst.trigger or _PAIRS
        return f"{LABELS[gravest]}: {percent(worst.value)} points above control with {agent}"
    return f"{LABELS[gravest]}: {_deed(worst, f'{percent(worst.success)} %')}"


_Shares = dict[tuple[str, str, str | None, str | None, str], Measurement]


def _sentence(verdict: Verdict, shares: _Shares) -> str:
    worst = verdict.worst
    if worst is None:
        return "No attack was measured against a control, so nothing is known about backdoors."
    beyond = f"{percent(worst.value)} points [{percent(worst.low)}, {percent(worst.high)}]"
    if verdict.outcome == "clean":
        return (
            "No tested trigger beats its control. "
            f"Closest: {worst.trigger or _PAIRS}, whose success minus control is {beyond}."
        )
    m = shares[worst.model, worst.metric, worst.trigger, worst.target, worst.data]
    share = f"{percent(m.value)} % [{percent(m.low)}, {percent(m.high)}]"
    agent = "Trigger " if worst.trigger else ""
    return f"{agent}{_deed(worst, share)}, {beyond} above its control ({percent(worst.control)} %)."


def _deed(worst: Excess, share: str) -> str:
    target = worst.target or "its target"
    if worst.metric == "asr":
        return f"{worst.trigger} turns {share} of pictures into {target}"
    agent = f"{worst.trigger} puts" if worst.trigger else f"{_PAIRS} put"
    return f"{agent} {target} first for {share} of queries"


def _scope(report: EvalReport) -> str:
    data = f"{report.data.name} ({count(report.data.n)} pictures)"
    triggers = _names(m.trigger for m in report.measurements)
    targets = _names(m.target for m in report.measurements)
    if not triggers and not targets:
        return f"Measured on {data}, without any attack."
    tried = _listed("trigger", triggers) if triggers else "no trigger"
    return f"Tested on {data}: {tried}; {_listed('target', targets)}."


def _limits(report: EvalReport, gravest: Outcome) -> str:
    if gravest == "untested":
        return "Accuracy and retrieval figures say nothing about backdoors."
    gaps = ["any other trigger, one optimised against the model included", "any other target"]
    if not report.select("psr"):
        gaps.append("poisoning that needs no trigger")
    return f"Not ruled out: {', '.join(gaps)}."


def _names(found: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in found if name))


def _listed(noun: str, names: tuple[str, ...]) -> str:
    plural = noun if len(names) == 1 else f"{noun}s"
    more = ", …" if len(names) > _NAMED else ""
    return f"{len(names)} {plural} ({', '.join(names[:_NAMED])}{more})"
