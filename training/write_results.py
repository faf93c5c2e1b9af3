"""Render training/RESULTS.md, training/results.html and what recipes expect from stored reports.

    python training/write_results.py

Every figure comes from `training/reports/<experiment>/<recipe>__<attack>__<seed>.json.gz` and the
facts beside it; nothing between the marks is typed by hand. Recipes whose runs are stored get their
lines `expected` and, where it is theirs, `time`.
"""

from __future__ import annotations

from pathlib import Path

import click
from expected.evidence import read_references
from expected.recipe_file import update_recipes
from results.page import to_html
from results.section import render, update
from results.stored import load_experiments

from shieldclip.drafts import write_text

HERE = Path(__file__).parent
REPORTS, RESULTS, PAGE = HERE / "reports", HERE / "RESULTS.md", HERE / "results.html"
RECIPES, MATRICES = HERE / "recipes", HERE / "matrices"


@click.command()
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Markdown.")
@click.option("--html", type=click.Path(path_type=Path), default=PAGE, help="Page.")
@click.option("--recipes", type=click.Path(path_type=Path), default=RECIPES, help="Folder.")
def main(reports: Path, out: Path, html: Path, recipes: Path) -> None:
    """Read, render, write."""
    experiments = load_experiments(reports)
    if not experiments:
        raise click.ClickException(f"No reports below {reports}; train and evaluate first.")
    update(out, render(experiments))
    write_text(html, to_html(experiments))
    files = sorted(recipes.glob("*.yaml"))
    changed = update_recipes(files, read_references(MATRICES), experiments)
    click.echo(
        f"Wrote {out} and {html} from {sum(map(len, experiments.values()))} reports; "
        f"recipes changed: {len(changed)}."
    )


if __name__ == "__main__":
    main()
