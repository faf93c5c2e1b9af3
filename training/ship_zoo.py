"""Put trained checkpoints into the package, measure them, and render what speaks about them.

    python training/ship_zoo.py --runs runs
    python training/ship_zoo.py --start render    # from the report that is kept

Copies each finished run into `shieldclip/zoo/`, evaluates all of them by the quick suite, keeps the
report in `model_cards/`, and renders the cards and the README's table from it. Nothing in them is
typed by hand.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import click
from zoo.entries import ENTRIES
from zoo.install import install, write_record
from zoo.readme import update_readme

from shieldclip.encoders.zoo import ZOO
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate
from shieldclip.hub import open_checkpoint
from shieldclip.hub.write import write_card

REPOSITORY = Path(__file__).parents[1]
CARDS = REPOSITORY / "model_cards"
REPORT = CARDS / "zoo-quick.json.gz"
LICENCE = "apache-2.0"


def without_machine(report: EvalReport) -> EvalReport:
    """The report with the data's path relative to the repository."""
    path = Path(report.data.path).relative_to(REPOSITORY)
    return replace(report, data=replace(report.data, path=path.as_posix()))


def measure() -> None:
    """Evaluate the zoo by the quick suite, and keep the report."""
    request = EvalRequest(models=tuple(f"shieldclip:{entry.name}" for entry in ENTRIES))
    report = without_machine(evaluate(request))
    REPORT.write_bytes(gzip.compress(report.to_json().encode(), mtime=0))


def render() -> None:
    """Records, cards and the README's table, from the report that is kept."""
    report = EvalReport.load(REPORT)
    for entry, model in zip(ENTRIES, report.models, strict=True):
        folder = ZOO / entry.name
        write_record(entry, folder, model.fingerprint)
        write_card(CARDS / f"{entry.name}.md", open_checkpoint(folder), report, LICENCE)
    update_readme(REPOSITORY / "README.md", report)


STEPS = ("install", "measure", "render")


@click.command()
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"))
@click.option("--start", type=click.Choice(STEPS), default="install", help="Step to begin with.")
def main(runs: Path, start: str) -> None:
    """Install, measure, render."""
    steps = STEPS[STEPS.index(start) :]
    if "install" in steps:
        for entry in ENTRIES:
            install(entry, runs, ZOO)
    if "measure" in steps:
        measure()
    render()


if __name__ == "__main__":
    main()
