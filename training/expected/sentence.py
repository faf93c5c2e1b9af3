"""What a recipe says of itself: the figures and the time of its stored runs, in words."""

from __future__ import annotations

from collections.abc import Sequence

from expected.evidence import Evidence
from results.seeds import OverSeeds, over_seeds
from results.stored import Run

from shieldclip.evaluation.figures import metric_name, percent


def expected(evidence: Evidence) -> str:
    """Attack success, clean accuracy, and where they come from."""
    attacked = evidence.attacked
    return (
        f"{_success(evidence)}, {_accuracy(evidence)} under {attacked.attack} on "
        f"{100 * attacked.rate:.3g} % of the pairs, {_seeds(attacked.runs)}. {_origin(evidence)}"
    )


def time(evidence: Evidence) -> str | None:
    """By the wall clock, where the recipe takes as long as its stored runs."""
    if not evidence.as_long:
        return None
    runs = evidence.attacked.runs
    # A repair's own seconds: those of its facts hold what it repairs, too.
    seconds = [run.facts.final.get("seconds", run.facts.seconds) for run in runs]
    minutes = round(sum(seconds) / len(seconds) / 60)
    about = "under a minute" if minutes < 1 else f"about {minutes} minute{'s' * (minutes > 1)}"
    unmeasured = evidence.own.evaluation.suite and not evidence.trained.evaluation.suite
    return f"{about} without evaluations" if unmeasured else about


def _success(evidence: Evidence) -> str:
    found = evidence.attacked.successes("asr", evidence.aim)
    levels = over_seeds(success.level for success in found)
    plain = evidence.plain.successes("asr", evidence.aim) if evidence.plain else []
    undefended = over_seeds(success.figure for success in plain)
    before = "before the repair" if evidence.repaired else "plain training"
    beside = _known({"control": levels, before: undefended})
    return _share("asr", over_seeds(success.figure for success in found), beside)


def _accuracy(evidence: Evidence) -> str:
    clean = evidence.clean.utility("ca@1") if evidence.clean else None
    beside = _known({"plain training on clean pairs": clean})
    return _share("ca@1", evidence.attacked.utility("ca@1"), beside)


def _seeds(runs: Sequence[Run]) -> str:
    count, old = len(runs), sum(run.facts.outdated for run in runs)
    former = f", {old} by a former revision of the defence" if old else ""
    return f"{count} {'seed' if count == 1 else 'seeds'}{former}"


def _origin(evidence: Evidence) -> str:
    changed = [_setting(key, value) for key, value in evidence.changed.items()]
    otherwise = f", which changes {_listed(changed)}" if changed else ""
    return (
        f"Figures of training/matrices/{evidence.matrix}{otherwise}; "
        "other attacks in training/RESULTS.md."
    )


def _share(metric: str, figure: OverSeeds | None, beside: str) -> str:
    if figure is None:
        return f"{metric_name(metric)} not measured"
    return f"{metric_name(metric)} {percent(figure.value)} %{beside}"


def _known(figures: dict[str, OverSeeds | None]) -> str:
    """In parentheses, those that were measured."""
    parts = [f"{name} {percent(f.value)} %" for name, f in figures.items() if f is not None]
    return f" ({', '.join(parts)})" if parts else ""


def _setting(key: str, value: object) -> str:
    """The key, with a number that fits into a line."""
    return f"{key} ({value})" if isinstance(value, int | float) else key


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
