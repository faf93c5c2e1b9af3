"""Put trained checkpoints into the package, measure them, and render what speaks about them.

    python training/ship_zoo.py --runs runs

Copies each finished run into `shieldclip/zoo/`, evaluates all of them by the quick suite, keeps the
report in `model_cards/`, and renders the cards and the README's table from it. Nothing in them is
typed by hand.
"""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from zoo.card import render_card
from zoo.entries import ENTRIES, ZooEntry
from zoo.readme import update_readme

from shieldclip.encoders.zoo import ZOO
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate

REPOSITORY = Path(__file__).parents[1]
CARDS = REPOSITORY / "model_cards"
REPORT = CARDS / "zoo-quick.json.gz"


def install(entry: ZooEntry, runs: Path) -> None:
    """Copy a checkpoint and the records of the runs that it is the end of."""
    run, folder = runs / entry.name, ZOO / entry.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in (run / "checkpoint").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    if (run / "poison.yaml").exists():
        shutil.copyfile(run / "poison.yaml", folder / "poison.yaml")
    (folder / "training.json").write_text(json.dumps(history(run), indent=1) + "\n", "utf-8")
    (folder / "zoo.json").write_text(json.dumps(entry.record(), indent=1) + "\n", "utf-8")


def history(run: Path) -> list[dict[str, Any]]:
    """Settings and log of a run and of those it continued, the first one first."""
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    log = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    before = history(run.parent / settings["start"]) if settings["start"] else []
    return [*before, {"settings": settings, "log": log}]


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
            install(entry, runs)
    request = EvalRequest(models=tuple(f"shieldclip:{entry.name}" for entry in ENTRIES))
    report = without_machine(evaluate(request))
    write_report(report)
    for entry in ENTRIES:
        card = render_card(entry, ZOO / entry.name, report)
        (CARDS / f"{entry.name}.md").write_text(card, encoding="utf-8")
    update_readme(REPOSITORY / "README.md", report)


if __name__ == "__main__":
    main()
