"""A model folder in a few figures, as training asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from shieldclip.errors import unknown_name
from shieldclip.evaluation.request import EvalRequest, tailor
from shieldclip.evaluation.run import evaluate
from shieldclip.evaluation.suite import find_suite, load_suite
from shieldclip.evaluation.yields import figure_name, figures_of


def folder_evaluator(
    suite: str | None,
    split: str | None = None,
    triggers: tuple[str, ...] = (),
    target: str | None = None,
    best: str | None = None,
) -> Callable[[Path], Mapping[str, float]] | None:
    """What measures a model folder as ``shieldclip eval`` does; wrong names come out here already.

    Args:
        suite: name or file of a suite; none measures nothing.
        split: of the suite's data, unless the suite's own.
        triggers: instead of the suite's.
        target: instead of the suite's.
        best: a figure that it must be able to yield.

    Returns:
        A folder's values by metric, or ``metric/trigger``; of several, the first.

    Raises:
        ShieldCLIPError: a suite that cannot be read, an unknown trigger or figure.
    """
    if suite is None:
        return None
    data = {"split": split} if split else {}
    request = EvalRequest(models=(), suite=suite, data=data, triggers=triggers, target=target)
    figures = figures_of(tailor(load_suite(find_suite(suite)), request))
    if best is not None and best not in figures:
        raise unknown_name("metric of evaluation.best", best, figures)

    def measure(folder: Path) -> dict[str, float]:
        rows = evaluate(replace(request, models=(str(folder),))).measurements
        return {figure_name(row.metric, row.trigger): row.value for row in reversed(rows)}

    return measure
