"""The leaderboard as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shieldclip.evaluation.definitions import DEFINITIONS
from shieldclip.evaluation.facts import versions_line
from shieldclip.evaluation.figures import EXCESS
from shieldclip.evaluation.headline import LABELS
from shieldclip.evaluation.leaderboard.entries import GRAVITY, Entry, data_of, gather
from shieldclip.evaluation.leaderboard.heat_map import LEVELS, heat_map
from shieldclip.evaluation.leaderboard.pareto import front
from shieldclip.evaluation.leaderboard.table import to_table
from shieldclip.evaluation.pages.accuracy_scatter import Point, accuracy_scatter, letter
from shieldclip.evaluation.report import EvalReport
from shieldclip.pages import render_page

_DEFINED = ("CA", "ASR", "Control", EXCESS, "RA", "[low, high]")


def to_html(reports: Mapping[str, EvalReport]) -> str:
    """The whole page.

    Args:
        reports: by a label each; all on the same data.

    Raises:
        ShieldCLIPError: no report, or reports on different data.
    """
    entries = gather(reports)
    found = _points(entries)
    best = front(found)
    return render_page(
        "shieldclip.evaluation.leaderboard",
        title=f"{len(entries)} checkpoint{'s' if len(entries) > 1 else ''} compared",
        summary=_summary(entries),
        data=data_of(reports),
        table=to_table(entries),
        entries=entries,
        scatter=accuracy_scatter("scatter", found, best) if found else "",
        points=found,
        best={point.letter for point in best},
        heat=heat_map(entries),
        levels=range(LEVELS + 1),
        warnings={e.name: e.model.warning for e in entries if e.model.warning},
        definitions={name: DEFINITIONS[name] for name in _DEFINED},
        versions={label: versions_line(report) for label, report in reports.items()},
    )


def _points(entries: Sequence[Entry]) -> tuple[Point, ...]:
    """One point per checkpoint of which both figures are known."""
    return tuple(
        Point(letter(i), entry.name, entry.accuracy, entry.worst.asr)
        for i, entry in enumerate(entries)
        if entry.accuracy and entry.worst
    )


def _summary(entries: Sequence[Entry]) -> str:
    """How many checkpoints have each outcome, gravest first."""
    outcomes = [entry.outcome for entry in entries]
    counted = ((outcome, outcomes.count(outcome)) for outcome in GRAVITY)
    return " ".join(f"{LABELS[outcome]}: {n}." for outcome, n in counted if n)
