"""Which differences between one recipe and the others are more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from results.attacked import Aim, Attacked, success_of
from results.stored import CLEAN
from scipy import stats

from shieldclip.evaluation.figures import percent
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.table import MISSING, Cell, Row, Table, numbers, texts

LEVEL = 0.05
"""Of all tests of one column together."""
JUDGED = ("asr", "psr", "hit@10")
"""The figure of success that is compared: the first that an attack has."""

NOTE = (
    "Success: Fisher's exact test in every seed, of which the largest p counts, so that no picture "
    "is counted twice; 1 where seeds disagree on who does better. Accuracy: t test of the "
    "differences of equal seeds on the same pictures, from two different ones on; it speaks of "
    "other runs on these pictures, not of other pictures. "
    f"p are Holm's over the column; what is below {LEVEL} is in bold."
)


@dataclass(frozen=True)
class Difference:
    """A recipe under one attack, less the reference."""

    attack: str
    target: str
    recipe: str
    seeds: int
    success: float
    success_p: float
    accuracy: float
    accuracy_bounds: tuple[float, float] | None
    """95 % interval, from two seeds on."""
    accuracy_p: float | None


def significance(groups: Sequence[Attacked], reference: str) -> Table:
    """Every other recipe less ``reference``, under every attack that both met."""
    found = list(_differences(groups, reference))
    success_p = holm([d.success_p for d in found])
    accuracy_p = iter(holm([d.accuracy_p for d in found if d.accuracy_p is not None]))
    columns = (
        *texts("Attack", "Target", "Recipe"),
        *numbers("Seeds", "Success, points", "p", "CA@1, points", "p"),
    )
    rows = tuple(
        _row(d, p, None if d.accuracy_p is None else next(accuracy_p))
        for d, p in zip(found, success_p, strict=True)
    )
    return Table(f"Differences from {reference}", columns, rows, note=NOTE)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values, in the given order (Holm, Scandinavian Journal of Statistics 1979)."""
    order = np.argsort(p)
    steps = np.asarray(p)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.tolist()


def fisher(one: Measurement, other: Measurement) -> float:
    """Two-sided p of Fisher's exact test on two shares."""
    counts = [(round(m.value * m.n), m.n) for m in (one, other)]
    table = [[hits, n - hits] for hits, n in counts]
    return float(stats.fisher_exact(table).pvalue)


def paired(differences: Sequence[float]) -> tuple[tuple[float, float] | None, float | None]:
    """95 % interval of the mean difference, and its p.

    Nothing from fewer than two, or from equal ones: these have no spread to judge by.
    """
    if len(differences) < 2 or np.ptp(differences) < 1e-12:
        return None, None
    mean, error = float(np.mean(differences)), float(stats.sem(differences))
    t = stats.t(len(differences) - 1)
    half = t.ppf(0.975) * error
    return (mean - half, mean + half), float(2 * t.sf(abs(mean) / error))


def _differences(groups: Sequence[Attacked], reference: str) -> Iterator[Difference]:
    by_key = {(g.attack, g.rate, g.recipe): g for g in groups}
    for group in groups:
        other = by_key.get((group.attack, group.rate, reference))
        if other is None or group.recipe == reference or group.attack == CLEAN:
            continue
        for aim in group.aims():
            yield from _difference(group, other, aim)


def _difference(group: Attacked, other: Attacked, aim: Aim) -> Iterator[Difference]:
    """Of one aim, over the seeds of both; none where they share no seed or figure."""
    metric = next((m for m in JUDGED if group.successes(m, aim)), None)
    if metric is None:
        return
    own, theirs = _by_seed(group, metric, aim), _by_seed(other, metric, aim)
    seeds = sorted(own.keys() & theirs.keys())
    if not seeds:
        return
    success = [own[seed][0].value - theirs[seed][0].value for seed in seeds]
    accuracy = [own[seed][1].value - theirs[seed][1].value for seed in seeds]
    bounds, p = paired(accuracy)
    yield Difference(
        attack=group.attack,
        target=aim.target or MISSING,
        recipe=group.name,
        seeds=len(seeds),
        success=float(np.mean(success)),
        success_p=max(fisher(own[seed][0], theirs[seed][0]) for seed in seeds)
        if np.ptp(np.sign(success)) == 0
        else 1.0,
        accuracy=float(np.mean(accuracy)),
        accuracy_bounds=bounds,
        accuracy_p=p,
    )


def _by_seed(group: Attacked, metric: str, aim: Aim) -> dict[int, tuple[Measurement, Measurement]]:
    """Success and clean accuracy of every seed that has both."""
    found = {}
    for run in group.runs:
        success = success_of(run, metric, aim)
        accuracy = run.report.select("ca@1")
        if success and accuracy:
            found[run.facts.seed] = (success.figure, accuracy[0])
    return found


def _row(d: Difference, success_p: float, accuracy_p: float | None) -> Row:
    bounds = ""
    if d.accuracy_bounds is not None:
        bounds = f"[{percent(d.accuracy_bounds[0])}, {percent(d.accuracy_bounds[1])}]"
    return (
        Cell(d.attack),
        Cell(d.target),
        Cell(d.recipe),
        Cell(str(d.seeds)),
        Cell(percent(d.success), strong=success_p < LEVEL),
        _p(success_p),
        Cell(percent(d.accuracy), bounds, strong=accuracy_p is not None and accuracy_p < LEVEL),
        Cell(MISSING) if accuracy_p is None else _p(accuracy_p),
    )


def _p(p: float) -> Cell:
    return Cell("< 0.001" if p < 0.001 else f"{p:.3f}", strong=p < LEVEL)
