"""Train and measure every cell of a matrix: recipes x attacks x seeds.

    python training/matrix.py training/matrices/finetune.yaml --out runs/finetune

A killed matrix goes on where it stopped. With --worker 0/2 and --worker 1/2 two processes share
the work. Reports go to training/reports/NAME, from where write_results.py makes the tables.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import torch
import yaml
from cells.measure import measure
from cells.spec import Cell, Matrix, cells_of, read_matrix
from results.stored import REPORT, Run, RunFacts, save_run
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shieldclip.data.embedded import EMBEDDED
from shieldclip.training.pairs.opening import open_pairs
from shieldclip.training.recipe import Recipe, load_recipe
from shieldclip.training.run import train

REPORTS = Path(__file__).parent / "reports"


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For run folders.")
@click.option("--worker", default="0/1", show_default=True, metavar="I/N", help="Share of cells.")
@click.option("--threads", default=1, show_default=True)
def main(path: Path, out: Path, worker: str, threads: int) -> None:
    """Run what is missing."""
    torch.set_num_threads(threads)
    matrix = read_matrix(path)
    index, count = map(int, worker.split("/"))
    own = cells_of(matrix)[index::count]
    missing = [cell for cell in own if not _report(matrix, cell).exists()]
    with _progress_bar() as progress:
        task = progress.add_task("", total=len(own), completed=len(own) - len(missing))
        for cell in missing:
            progress.update(task, description=cell.stem)
            run_cell(matrix, cell, out / cell.stem)
            progress.advance(task)


def run_cell(matrix: Matrix, cell: Cell, folder: Path) -> None:
    """Train, measure, keep the report; what only a resumed training needs is removed."""
    attack = matrix.attacks[cell.attack]
    recipe = load_recipe(matrix.recipes[cell.recipe], changes(matrix, cell), None)
    train(recipe, folder)
    opened = open_pairs(recipe.data, recipe.model.image_size)
    poisoned = len(opened.manifest.entries) / len(opened.rows) if opened.manifest else 0.0
    final = _trained_lines(folder)[-1]
    facts = RunFacts(
        recipe=cell.recipe,
        attack=cell.attack,
        poison_rate=round(poisoned, 4),
        seed=cell.seed,
        seconds=final["seconds"],
        images=_images(recipe, final),
        final=final,
        plans=_plans(folder),
        trigger=attack.trigger,
        classes=len(EMBEDDED["icons-100"]("test").classes),
    )
    save_run(Run(facts, measure(attack, folder, opened)), REPORTS / matrix.name)
    shutil.rmtree(folder / "training_state", ignore_errors=True)


def changes(matrix: Matrix, cell: Cell) -> tuple[str, ...]:
    """What a cell changes in its recipe."""
    poison = matrix.attacks[cell.attack].poison
    seeded = None if poison is None else {**poison, "seed": cell.seed}
    inline = yaml.safe_dump(seeded, default_flow_style=True, width=10**6).strip()
    inline = inline.removesuffix("...").strip()
    return (*matrix.changes, f"seed={cell.seed}", f"data.poison={inline}")


def _report(matrix: Matrix, cell: Cell) -> Path:
    return REPORTS / matrix.name / f"{cell.stem}{REPORT}"


def _plans(folder: Path) -> list[dict[str, float]]:
    """What the log says of each epoch's plan."""
    lines = ({k: v for k, v in line.items() if k.startswith("plan/")} for line in _log(folder))
    return [line for line in lines if line]


def _trained_lines(folder: Path) -> list[dict[str, float]]:
    """The lines of the log that speak of training steps."""
    return [line for line in _log(folder) if "seconds" in line]


def _log(folder: Path) -> list[dict[str, float]]:
    """Numbers of each line of the training log."""
    lines = map(json.loads, (folder / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [{k: v for k, v in line.items() if isinstance(v, int | float)} for line in lines]


def _images(recipe: Recipe, final: dict[str, float]) -> int:
    return int(final["step"]) * recipe.optimiser.batch_size * recipe.optimiser.accumulation


def _progress_bar() -> Progress:
    """Cells done and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


if __name__ == "__main__":
    main()
