"""Put trained checkpoints into the package, measure them, and render what speaks about them.

    python training/ship_zoo.py --runs runs

Copies each finished run into `shieldclip/zoo/`, evaluates all of them by the quick suite, keeps the
report in `model_cards/`, and renders the cards and the README's table from it. Nothing in them is
typed by hand.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import click
from zoo.card import render_card
from zoo.entries import ENTRIES
from zoo.install import install
from zoo.readme import update_readme

from shieldclip.encoders.zoo import ZOO
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate

REPOSITORY = Path(__file__).parents[1]
CARDS = REPOSITORY / "model_cards"
REPORT = CARDS / "zoo-quick.json.gz"


def without_machine(report: EvalReport) -> EvalReport:
    """The report with the data's path relative to the repository."""
    path = Path(report.data.path).relative_to(REPOSITORY)
    return replace(report, data=replace(report.data, path=path.as_posix()))


def write_report(report: EvalReport) -> None:
    """Keep a report, compressed, with equal bytes for equal reports."""
    REPORT.write_bytes(gzip.compress(report.to_json().encode(), mtime=0))


@click.command()
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"))
@click.option("--skip-install", is_flag=True, help="Measure and render what is there already.")
def main(runs: Path, skip_install: bool) -> None:
    """Install, measure, render."""
    if not skip_install:
        for entry in ENTRIES:
            install(entry, runs, ZOO)
    request = EvalRequest(models=tuple(f"shieldclip:{entry.name}" for entry in ENTRIES))
    report = without_machine(evaluate(request))
    write_report(report)
    for entry in ENTRIES:
        card = render_card(entry, ZOO / entry.name, report)
        (CARDS / f"{entry.name}.md").write_text(card, encoding="utf-8")
    update_readme(REPOSITORY / "README.md", report)


if __name__ == "__main__":
    main()
