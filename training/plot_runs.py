"""Plot the logs of several runs against each other.

    python training/plot_runs.py runs/plain runs/semantic-shield --out curves.svg

Losses by term, accuracy and attack success, evidence and weights of clean and poisoned pairs, and
attention on the trigger, over steps; a panel for each that some log has.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from plots.draw import draw, save
from plots.log import read_log
from plots.panels import panels

from shieldclip.errors import ShieldCLIPError

SUFFIXES = (".svg", ".png")


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="FILE.svg or FILE.png")
def main(runs: tuple[Path, ...], out: Path) -> None:
    """Read, draw, save."""
    if out.suffix not in SUFFIXES:
        raise ShieldCLIPError(f"Expected --out FILE.svg or FILE.png, got {out}.")
    logs = [read_log(run) for run in runs]
    shown = panels(logs)
    if not shown:
        raise ShieldCLIPError("Expected a loss or an evaluation in the logs, got neither.")
    save(draw(logs, shown), out)
    click.echo(f"Drew {len(shown)} panels of {len(logs)} runs on {out}.")


if __name__ == "__main__":
    try:
        main()
    except ShieldCLIPError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
