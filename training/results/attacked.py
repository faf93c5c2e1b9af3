"""What the reports of one recipe say of one attack, joined over seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from results.seeds import OverSeeds, over_seeds
from results.stored import Run, RunFacts

from shieldclip.evaluation.report import EvalReport, Measurement

LEVELS = {
    "asr": ("control", "control_trigger"),
    "psr": ("psr_random",),
    "hit@1": ("hit@1_control", "hit@1_control_trigger", "hit@1_random"),
    "hit@10": ("hit@10_control", "hit@10_control_trigger", "hit@10_random"),
    "min_rank": ("min_rank_random",),
}
"""Figures of success, and the levels without the attack that each is compared with."""

OUTDATED = "\N{DAGGER}"
"""Beside a recipe of which a run is old."""


@dataclass(frozen=True)
class Aim:
    """What an attack is after: the rows of a report that belong together."""

    data: str
    trigger: str | None
    target: str | None


@dataclass(frozen=True)
class Success:
    """A figure of one seed, with the largest level measured without the attack."""

    figure: Measurement
    level: Measurement | None


@dataclass(frozen=True)
class Attacked:
    """One recipe under one attack."""

    recipe: str
    attack: str
    rate: float
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """The recipe's, with a mark if a run is of a former revision of its defence."""
        outdated = any(run.facts.outdated for run in self.runs)
        return f"{self.recipe} {OUTDATED}" if outdated else self.recipe

    @property
    def seconds(self) -> float:
        """Mean training time, by the wall clock."""
        return sum(run.facts.seconds for run in self.runs) / len(self.runs)

    def times(self, others: Sequence[Attacked]) -> float | None:
        """How many times as long as theirs this training took: in processor time, where kept.

        None where they kept it and these runs did not: a clock says little on a busy machine.
        """
        for name in ("processor_seconds", "seconds"):
            theirs = _mean_time((run for other in others for run in other.runs), name)
            if theirs is not None:
                own = _mean_time(self.runs, name)
                return None if own is None else own / theirs
        return None

    def alike(self, other: Attacked) -> Attacked:
        """Of these runs those with the seeds of the other's; all where no seed is shared."""
        seeds = {run.facts.seed for run in other.runs}
        shared = tuple(run for run in self.runs if run.facts.seed in seeds)
        return replace(self, runs=shared or self.runs)

    def aims(self) -> list[Aim]:
        """In the order of the reports."""
        return list(dict.fromkeys(aim for run in self.runs for aim in _aims(run)))

    def successes(self, metric: str, aim: Aim) -> list[Success]:
        """One a seed, where it was measured."""
        found = (success_of(run, metric, aim) for run in self.runs)
        return [success for success in found if success is not None]

    def robustness(self, aim: Aim) -> OverSeeds | None:
        """Accuracy on triggered pictures, where it was measured."""
        return over_seeds(_measured(run.report, "ra", aim) for run in self.runs)

    def utility(self, metric: str, data: str | None = None) -> OverSeeds | None:
        """A figure of clean data: of one data set, or of the first that has it."""
        found = (run.report.select(metric) for run in self.runs)
        asked = ([m for m in ms if data is None or m.data == data] for ms in found)
        return over_seeds(measured[0] for measured in asked if measured)


def _mean_time(runs: Iterable[Run], name: str) -> float | None:
    """Over the runs that kept it."""
    kept = [taken for run in runs if (taken := getattr(run.facts, name)) is not None]
    return sum(kept) / len(kept) if kept else None


def join(runs: Sequence[Run]) -> list[Attacked]:
    """Runs of the same attack and recipe together: attacks by name, plain first."""
    groups: dict[tuple[str, float, str], list[Run]] = {}
    for run in runs:
        key = (run.facts.attack, run.facts.poison_rate, run.facts.recipe)
        groups.setdefault(key, []).append(run)
    order = sorted(groups, key=lambda key: (*key[:2], key[2] != "plain", key[2]))
    return [Attacked(key[2], key[0], key[1], tuple(groups[key])) for key in order]


def usual_data(groups: Sequence[Attacked], metric: str) -> str | None:
    """The data set that most runs measured it on: figures of several are not compared."""
    measured = (run.report.select(metric) for group in groups for run in group.runs)
    asked = Counter(data for found in measured for data in dict.fromkeys(m.data for m in found))
    return next((data for data, _ in asked.most_common(1)), None)


def _aims(run: Run) -> Iterator[Aim]:
    """Those of planted triggers, or of none: poisoned pictures and pairs."""
    for m in run.report.measurements:
        if m.metric in LEVELS and m.trigger in (*run.facts.planted, None):
            yield Aim(m.data, m.trigger, m.target)


def success_of(run: Run, metric: str, aim: Aim) -> Success | None:
    """What one run says of an aim, if it was asked."""
    figure = _measured(run.report, metric, aim)
    if figure is None:
        return None
    levels = [_measured(run.report, name, aim) for name in LEVELS[metric]]
    known = [level for level in (*levels, _chance(figure, run.facts)) if level is not None]
    return Success(figure, max(known, key=lambda level: level.value, default=None))


def _measured(report: EvalReport, metric: str, aim: Aim) -> Measurement | None:
    found = report.select(metric, data=aim.data, trigger=aim.trigger, target=aim.target)
    return found[0] if found else None


def _chance(figure: Measurement, facts: RunFacts) -> Measurement | None:
    """The random level of PSR, which reports do not hold."""
    if figure.metric != "psr" or not facts.classes:
        return None
    chance = 1 / facts.classes
    return Measurement(figure.model, "psr_random", chance, figure.n, chance, chance)
