"""The stored reports as one HTML page: trade-offs, tables, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from results.attacked import Aim, Attacked, join
from results.pareto import Candidate, candidates, front, pareto
from results.section import INTRODUCTION
from results.seeds import over_seeds
from results.significance import JUDGED
from results.stored import CLEAN, PLAIN, Run
from results.tables import tables
from results.verdict import DEFINITION

from shieldclip.evaluation.figures import metric_name
from shieldclip.evaluation.table import Table
from shieldclip.pages import render_page

DRAWN = 0.5
"""Success in plain training from which on an attack is drawn."""


@dataclass(frozen=True)
class TradeOff:
    """One attack: a chart and what its letters mean."""

    name: str
    """Unique on the page."""
    title: str
    metric: str
    chart: Markup
    recipes: tuple[Candidate, ...]
    best: frozenset[str]
    """Letters of the front."""


@dataclass(frozen=True)
class Section:
    """One experiment."""

    name: str
    trade_offs: tuple[TradeOff, ...]
    tables: tuple[Table, ...]


def to_html(experiments: Mapping[str, Sequence[Run]]) -> str:
    """The whole page; an attack is drawn where plain training learns it at least by half."""
    sections = [_section(name, join(runs)) for name, runs in experiments.items()]
    return render_page(
        "results",
        title="Training on poisoned pairs, with and without defences",
        introduction=INTRODUCTION,
        definition=DEFINITION,
        sections=sections,
    )


def _section(name: str, groups: Sequence[Attacked]) -> Section:
    drawn = [
        (group.attack, group.rate, aim, metric)
        for group in groups
        if group.recipe == PLAIN and group.attack != CLEAN
        for aim in group.aims()
        for metric in JUDGED
        if _learned(group, metric, aim)
    ]
    trade_offs = (
        _trade_off(f"{name}-{i}", groups, attack, rate, aim, metric)
        for i, (attack, rate, aim, metric) in enumerate(drawn)
    )
    compared = tuple(plot for plot in trade_offs if len(plot.recipes) > 1)
    return Section(name, compared, tuple(tables(groups)))


def _learned(group: Attacked, metric: str, aim: Aim) -> bool:
    mean = over_seeds(success.figure for success in group.successes(metric, aim))
    return mean is not None and mean.value >= DRAWN


def _trade_off(
    name: str, groups: Sequence[Attacked], attack: str, rate: float, aim: Aim, metric: str
) -> TradeOff:
    met = [g for g in groups if (g.attack, g.rate) == (attack, rate) and g.successes(metric, aim)]
    found = candidates(
        [
            (
                group.name,
                [run.report.select("ca@1")[0].value for run in group.runs],
                [success.figure.value for success in group.successes(metric, aim)],
            )
            for group in met
        ]
    )
    best = front(found)
    goal = f", {aim.target}" if aim.target else ""
    return TradeOff(
        name=name,
        title=f"{attack} at {100 * rate:.3g} %{goal}",
        metric=metric_name(metric),
        chart=pareto(name, found, best),
        recipes=tuple(found),
        best=frozenset(c.letter for c in best),
    )
