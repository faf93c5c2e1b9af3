"""Train and measure every cell of a matrix: recipes x attacks x rates x seeds.

    python training/matrix.py training/matrices/finetune.yaml --out runs/finetune
    python training/matrix.py training/matrices/finetune.yaml --out runs/finetune --dry-run

A killed matrix goes on where it stopped. Reports go to training/reports/NAME, from where
write_results.py makes the tables. --jobs runs several cells at once on one machine; several
machines share the cells by --worker 0/2 and --worker 1/2. Where a killed matrix left cells running,
those of the next start wait for them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
from cells.board import board
from cells.progress import progress_of
from cells.schedule import CONSOLE, leave_on_sigterm, process_of, work_off
from cells.spec import Cell, Matrix, read_matrix, share_of
from rich.console import Console
from rich.live import Live


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For run folders.")
@click.option("--jobs", default=1, show_default=True, help="Cells at a time.")
@click.option("--worker", default="0/1", show_default=True, metavar="I/N", help="Share of cells.")
@click.option("--threads", default=1, show_default=True, help="Of each cell.")
@click.option("--dry-run", is_flag=True, help="Only show what is done and what remains.")
def main(path: Path, out: Path, jobs: int, worker: str, threads: int, dry_run: bool) -> None:
    """Run what is missing."""
    matrix = read_matrix(path)
    index, count = map(int, worker.split("/"))
    cells = share_of(matrix, index, count)
    if dry_run:
        Console().print(board(matrix, progress_of(matrix, cells, out), jobs))
        return
    leave_on_sigterm()
    start = partial(process_of, matrix_file=path, out=out, threads=threads)
    failed = _watch(matrix, cells, out, start, jobs)
    if failed:
        raise click.ClickException(
            f"Failed: {', '.join(cell.stem for cell in failed)}; "
            f"see {CONSOLE} in their folders below {out}."
        )


def _watch(
    matrix: Matrix,
    cells: Sequence[Cell],
    out: Path,
    start: Callable[[Cell], subprocess.Popen[bytes]],
    jobs: int,
) -> list[Cell]:
    """Run the cells beside a table of how far they are; those that failed."""
    failed: list[Cell] = []
    with Live(console=Console(stderr=True), refresh_per_second=1) as live:
        for schedule in work_off(matrix, cells, start, jobs):
            failed = schedule.failed
            states = progress_of(matrix, cells, out, schedule.running, failed)
            live.update(board(matrix, states, jobs))
    return failed


if __name__ == "__main__":
    main()
