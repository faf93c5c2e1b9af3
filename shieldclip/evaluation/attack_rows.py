"""The figures of one attack on one model, joined from the flat list of measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shieldclip.evaluation.report import EvalReport, Measurement
from shieldclip.evaluation.verdict import Excess, excesses

ATTACKED = ("asr", "control", "control_trigger", "ra", "ra_control_trigger")
"""The figures of one attack."""
WORST_TARGETS = 3
"""How many targets of one trigger are shown when many were tried."""

_Key = tuple[str, str | None, str | None, str]


@dataclass(frozen=True)
class AttackRow:
    """One trigger towards one target; what was not measured is ``None``."""

    asr: Measurement
    control: Measurement | None
    control_trigger: Measurement | None
    ra: Measurement | None
    ra_control_trigger: Measurement | None
    excess: Excess | None

    @property
    def severity(self) -> tuple[float, float]:
        """Orders attacks: how surely, then how often, they succeed beyond their control."""
        return (self.excess.low if self.excess else -1.0), self.asr.value


def attack_rows(report: EvalReport) -> tuple[AttackRow, ...]:
    """One row per measured ASR, in the order of the report."""
    beyond = {(e.model, e.trigger, e.target, e.data): e for e in excesses(report)}
    found = {metric: {_key(m): m for m in report.select(metric)} for metric in ATTACKED[1:]}
    return tuple(
        AttackRow(
            asr=asr,
            control=found["control"].get(_key(asr)),
            control_trigger=found["control_trigger"].get(_key(asr)),
            ra=found["ra"].get(_key(asr)),
            ra_control_trigger=found["ra_control_trigger"].get(_key(asr)),
            excess=beyond.get(_key(asr)),
        )
        for asr in report.select("asr")
    )


def worst_targets(rows: Iterable[AttackRow], limit: int = WORST_TARGETS) -> tuple[AttackRow, ...]:
    """The ``limit`` most severe targets of each (model, data, trigger), gravest first."""
    groups: dict[tuple[str, str, str | None], list[AttackRow]] = {}
    for row in rows:
        groups.setdefault((row.asr.model, row.asr.data, row.asr.trigger), []).append(row)
    return tuple(
        row
        for group in groups.values()
        for row in sorted(group, key=lambda row: row.severity, reverse=True)[:limit]
    )


def _key(m: Measurement) -> _Key:
    return m.model, m.trigger, m.target, m.data
