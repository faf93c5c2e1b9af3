"""Ask what a matrix asks now of models that it trained before.

    python training/measure_again.py training/matrices/finetune.yaml --out runs/finetune

Replaces the reports of all cells whose models are still there; what training said of them stays.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import torch
from cells.run import LAST, measure_cell, report_of
from cells.spec import Cell, Matrix, cells_of, read_matrix
from results.stored import load_run, save_run
from rich.console import Console
from rich.progress import track


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Of run folders.")
@click.option("--threads", default=1, show_default=True)
def main(path: Path, out: Path, threads: int) -> None:
    """Measure every finished cell whose model is still there."""
    torch.set_num_threads(threads)
    matrix, out = read_matrix(path), out.absolute()
    kept = [
        cell
        for cell in cells_of(matrix)
        if report_of(matrix, cell).exists() and (out / cell.stem / LAST).is_dir()
    ]
    for cell in track(kept, "Measuring", console=Console(stderr=True)):
        measure_again(matrix, cell, out / cell.stem)


def measure_again(matrix: Matrix, cell: Cell, folder: Path) -> None:
    """Replace the report of one cell."""
    kept = report_of(matrix, cell)
    _, report = measure_cell(matrix, cell, folder)
    save_run(replace(load_run(kept), report=report), kept.parent)


if __name__ == "__main__":
    main()
