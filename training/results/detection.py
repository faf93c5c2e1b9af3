"""How well the plans of a defence told poisoned pairs from clean ones before they were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.attacked import Attacked

from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.table import Cell, Row, Table, numbers, texts

AUC = "plan/auc"
CHANGES = ("recaptioned", "set_aside", "left_out")
"""What a plan may do to a pair: one of them."""
NOTE = "Changed are pairs that a plan gives other captions, sets aside or leaves out."


def detection(groups: Sequence[Attacked]) -> Table:
    """First and last plan of every recipe that plans; means over seeds."""
    columns = (
        *texts("Attack", "Recipe"),
        *numbers("Poisoned, %", "Seeds", "Plans"),
        *numbers("ROC-AUC, first", "last", "Poisons changed, first, %", "last, %"),
        *numbers("Clean pairs changed, first, %", "last, %"),
    )
    rows = tuple(row for group in groups for row in _row(group))
    return Table("Detection by matching", columns, rows, note=NOTE)


def _row(group: Attacked) -> tuple[Row, ...]:
    """None for a recipe that judges nothing."""
    plans = [[plan for plan in run.facts.plans if AUC in plan] for run in group.runs]
    judged = [of_run for of_run in plans if of_run]
    if not judged:
        return ()
    first, last = ([of_run[place] for of_run in judged] for place in (0, -1))
    return (
        (
            Cell(group.attack),
            Cell(group.name),
            Cell(f"{100 * group.rate:.3g}"),
            Cell(str(len(judged))),
            Cell(str(len(judged[0]))),
            Cell(f"{_mean(first, AUC):.4f}"),
            Cell(f"{_mean(last, AUC):.4f}"),
            *(
                Cell(percent(sum(_mean(plan, f"plan/{change}/{kind}") for change in CHANGES)))
                for kind in ("poison", "clean")
                for plan in (first, last)
            ),
        ),
    )


def _mean(plans: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(plan.get(name, 0.0) for plan in plans) / len(plans)
