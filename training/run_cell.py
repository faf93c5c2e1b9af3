"""Train and measure one cell of a matrix in this process.

    python training/run_cell.py training/matrices/finetune.yaml plain__badnet__0 --out runs/finetune

`matrix.py` starts one of these for each cell.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from cells.run import run_cell
from cells.spec import cells_of, read_matrix

from shieldclip.errors import unknown_name
from shieldclip.training.allocator import keep_freed_memory


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("name", metavar="RECIPE__ATTACK__SEED")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For run folders.")
@click.option("--threads", default=1, show_default=True)
def main(path: Path, name: str, out: Path, threads: int) -> None:
    """Train, measure, keep the report."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    matrix = read_matrix(path)
    cells = {cell.stem: cell for cell in cells_of(matrix)}
    if name not in cells:
        raise unknown_name(f"cell of {matrix.name}", name, cells)
    run_cell(matrix, cells[name], out.absolute(), path.absolute().parent)


if __name__ == "__main__":
    main()
