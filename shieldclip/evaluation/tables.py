"""The tables of a report, one per protocol; together they hold every measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shieldclip.evaluation.attack_rows import (
    ATTACKED,
    AttackRow,
    attack_rows,
    worst_targets,
)
from shieldclip.evaluation.figures import EXCESS, column_name, count, percent
from shieldclip.evaluation.report import EvalReport, Measurement
from shieldclip.evaluation.table import MISSING, Cell, Row, Table, figures, numbers, texts
from shieldclip.evaluation.verdict import excesses

_RETRIEVAL = {
    "Retrieval": (("r@",), {"_i2t": "Image→text", "_t2i": "Text→image"}),
    "Retrieval under attack": (
        ("hit@", "min_rank", "median_rank"),
        {"": "Under attack", "_control": "Control", "_random": "At random"},
    ),
}
_PIVOTS = {
    "Zero-shot accuracy": ("ca@",),
    "Targeted poisoning": ("psr",),
    "Linear probe": ("probe",),
}


def tables(report: EvalReport) -> tuple[Table, ...]:
    """One table per protocol that has figures."""
    built, left = [], list(report.measurements)
    if attacks := attack_rows(report):
        built.append(zero_shot(report, attacks))
        left = [m for m in left if m.metric not in ATTACKED and not m.metric.startswith("ca@")]
    for title, (families, endings) in _RETRIEVAL.items():
        if chosen := [m for m in left if m.metric.startswith(families)]:
            built.append(by_metric(report, title, chosen, endings))
            left = [m for m in left if not m.metric.startswith(families)]
    for title, families in _PIVOTS.items():
        if chosen := [m for m in left if m.metric.startswith(families)]:
            built.append(pivot(title, chosen))
            left = [m for m in left if not m.metric.startswith(families)]
    return (*built, pivot("Other figures", left)) if left else tuple(built)


def zero_shot(report: EvalReport, attacks: tuple[AttackRow, ...]) -> Table:
    """Models x triggers: CA, ASR, its controls, the excess and RA."""
    clean = [m for m in report.measurements if m.metric.startswith("ca@")]
    metrics = tuple(dict.fromkeys(m.metric for m in clean))
    accuracy = {(m.metric, m.model, m.data): m for m in clean}
    worst = worst_targets(attacks)
    rows: list[Row] = []
    for model, data in _places(report, (*clean, *(attack.asr for attack in attacks))):
        known = [accuracy.get((metric, model, data)) for metric in metrics]
        lead = (Cell(model), Cell(data), *figures(known))
        mine = [a for a in worst if (a.asr.model, a.asr.data) == (model, data)]
        rows += [(*lead, *_attack(attack)) for attack in mine] or [(*lead, *_NO_ATTACK)]
    lead_columns = (*texts("Model", "Data"), *numbers(*map(column_name, metrics), "N clean"))
    return Table(
        title="Zero-shot classification under attack",
        columns=(*lead_columns, *_ATTACK_COLUMNS),
        rows=tuple(rows),
        lead=len(lead_columns),
        note=_hidden_targets(len(attacks) - len(worst)),
    )


def by_metric(
    report: EvalReport, title: str, found: Sequence[Measurement], endings: dict[str, str]
) -> Table:
    """One row per (model, data, trigger, target) and metric, one column per ending of its name.

    Args:
        report: for the excess of each figure.
        title: of the table.
        found: what to show.
        endings: how metrics that stand side by side end -> column.
    """
    figure = {(*_place(m), m.metric): m for m in found}
    beyond = {(e.model, e.data, e.trigger, e.target, e.metric): e for e in excesses(report)}
    keys = dict.fromkeys((*_place(m), _stem(m.metric, endings)) for m in found)
    attacked = any(trigger or target for _, _, trigger, target, _ in keys)
    rows: list[Row] = []
    for key in keys:
        first, *others = figures([figure.get((*key[:4], key[4] + end)) for end in endings])
        first = replace(first, strong=key in beyond and beyond[key].low > 0)
        attack = (Cell(key[2] or MISSING), Cell(key[3] or MISSING)) if attacked else ()
        names = (Cell(key[0]), Cell(key[1]), *attack, Cell(column_name(key[4])))
        rows.append((*names, first, *others))
    columns = (
        *texts("Model", "Data", *(("Trigger", "Target") if attacked else ()), "Metric"),
        *numbers(*endings.values(), "N"),
    )
    return Table(title, columns, tuple(rows), lead=2)


def pivot(title: str, measurements: Iterable[Measurement]) -> Table:
    """One row per (model, data, trigger, target), one column per metric, both as they come."""
    places: dict[tuple[str, ...], dict[str, Measurement]] = {}
    for m in measurements:
        key = (m.model, m.data, m.trigger or MISSING, m.target or MISSING)
        places.setdefault(key, {})[m.metric] = m
    metrics = tuple(dict.fromkeys(metric for found in places.values() for metric in found))
    names = ("Model", "Data", "Trigger", "Target")
    kept = [i for i in range(4) if i < 2 or any(key[i] != MISSING for key in places)]
    rows = tuple(
        (*(Cell(key[i]) for i in kept), *figures([found.get(metric) for metric in metrics]))
        for key, found in places.items()
    )
    columns = (*texts(*(names[i] for i in kept)), *numbers(*map(column_name, metrics), "N"))
    return Table(title, columns, rows)


_ATTACK_COLUMNS = (
    *texts("Trigger", "Target"),
    *numbers("ASR, %", "Control, %", "Control trigger, %", f"{EXCESS}, points"),
    *numbers("RA, %", "RA, control trigger, %", "N"),
)
_NO_ATTACK = (Cell(MISSING),) * len(_ATTACK_COLUMNS)


def _attack(attack: AttackRow) -> Row:
    asr, excess = attack.asr, attack.excess
    beyond = Cell(MISSING)
    if excess:
        bounds = f"[{percent(excess.low)}, {percent(excess.high)}]"
        beyond = Cell(percent(excess.value), bounds, strong=excess.low > 0)
    succeeded = [asr, attack.control, attack.control_trigger]
    *found, robust, level, n = figures([*succeeded, attack.ra, attack.ra_control_trigger])
    lead = (Cell(asr.trigger or MISSING), Cell(asr.target or MISSING))
    return (*lead, *found, beyond, robust, level, n)


def _place(m: Measurement) -> tuple[str, str, str | None, str | None]:
    return m.model, m.data, m.trigger, m.target


def _stem(metric: str, endings: Iterable[str]) -> str:
    return next((metric.removesuffix(e) for e in endings if e and metric.endswith(e)), metric)


def _places(report: EvalReport, found: Iterable[Measurement]) -> list[tuple[str, str]]:
    """(model, data) of the measurements, in the order of the report's models."""
    order = {model.name: i for i, model in enumerate(report.models)}
    places = dict.fromkeys((m.model, m.data) for m in found)
    return sorted(places, key=lambda place: order.get(place[0], len(order)))


def _hidden_targets(hidden: int) -> str:
    if not hidden:
        return ""
    return (
        "Of each trigger's targets, the ones with the largest excess are shown; "
        f"the other {count(hidden)} rows are in report.json."
    )
