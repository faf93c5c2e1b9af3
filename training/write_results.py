"""Render training/RESULTS.md and training/results.html from the stored reports of training runs.

    python training/write_results.py

Every figure comes from `training/reports/<experiment>/<recipe>__<attack>__<seed>.json.gz` and the
facts beside it; nothing between the marks is typed by hand.
"""

from __future__ import annotations

from pathlib import Path

import click
from results.page import to_html
from results.section import render, update
from results.stored import load_experiments, replace_file

HERE = Path(__file__).parent
REPORTS, RESULTS, PAGE = HERE / "reports", HERE / "RESULTS.md", HERE / "results.html"


@click.command()
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Markdown.")
@click.option("--html", type=click.Path(path_type=Path), default=PAGE, help="Page.")
def main(reports: Path, out: Path, html: Path) -> None:
    """Read, render, write."""
    experiments = load_experiments(reports)
    if not experiments:
        raise click.ClickException(f"No reports below {reports}; train and evaluate first.")
    update(out, render(experiments))
    replace_file(html, to_html(experiments).encode())
    click.echo(f"Wrote {out} and {html} from {sum(map(len, experiments.values()))} reports.")


if __name__ == "__main__":
    main()
