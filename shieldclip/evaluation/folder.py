"""A model folder in a few figures, as training asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate


def folder_evaluator(
    suite: str | None,
    split: str | None = None,
    triggers: tuple[str, ...] = (),
    target: str | None = None,
) -> Callable[[Path], Mapping[str, float]] | None:
    """What measures a model folder as ``shieldclip eval`` does.

    Args:
        suite: name or file of a suite; none measures nothing.
        split: of the suite's data, unless the suite's own.
        triggers: instead of the suite's.
        target: instead of the suite's.

    Returns:
        A folder's values by metric, or ``metric/trigger``; of several, the first.
    """
    if suite is None:
        return None
    data = {"split": split} if split else {}

    def measure(folder: Path) -> dict[str, float]:
        rows = evaluate(
            EvalRequest(
                models=(str(folder),), suite=suite, data=data, triggers=triggers, target=target
            )
        ).measurements
        return {
            "/".join(filter(None, (row.metric, row.trigger))): row.value for row in reversed(rows)
        }

    return measure
