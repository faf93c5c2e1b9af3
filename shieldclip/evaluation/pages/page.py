"""The page, put together."""

from __future__ import annotations

import re

from markupsafe import Markup

from shieldclip.evaluation.attack_rows import AttackRow, attack_rows, worst_targets
from shieldclip.evaluation.definitions import definitions
from shieldclip.evaluation.facts import data_table, models_table, remarks, versions_line
from shieldclip.evaluation.figures import MINUS
from shieldclip.evaluation.headline import headline
from shieldclip.evaluation.pages.accuracy_scatter import accuracy_scatter, points
from shieldclip.evaluation.pages.asr_bars import asr_bars
from shieldclip.evaluation.pages.examples import examples_by_model
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.tables import tables
from shieldclip.pages import render_page


def to_html(report: EvalReport) -> str:
    """The whole report as one HTML document.

    Raises:
        ShieldCLIPError: an example's picture is not a PNG data URI.
    """
    attacks = attack_rows(report)
    found = points(report, attacks)
    return render_page(
        "shieldclip.evaluation.pages",
        filters={"unbroken": unbroken},
        head=headline(report),
        tables=tables(report),
        bars=_bars(report, attacks),
        points=found,
        scatter=accuracy_scatter("scatter", found) if len(found) > 1 else "",
        examples=examples_by_model(report),
        models=models_table(report),
        data=data_table(report),
        remarks=remarks(report),
        definitions=definitions(report),
        versions=versions_line(report),
    )


def unbroken(text: str) -> str:
    """Keeps ``[96.1, 98.2]`` and ``97.3 %`` on one line."""
    return re.sub(rf"(?<=\d,) (?=[{MINUS}\d])|(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def _bars(report: EvalReport, attacks: tuple[AttackRow, ...]) -> dict[str, Markup]:
    """A chart per model, with the worst target of each trigger."""
    worst = worst_targets(attacks, limit=1)
    by_model = {m.name: [row for row in worst if row.asr.model == m.name] for m in report.models}
    return {
        model: asr_bars(f"bars-{i}", model, rows)
        for i, (model, rows) in enumerate(by_model.items())
        if rows
    }
