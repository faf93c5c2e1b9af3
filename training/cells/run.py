"""One cell of a matrix: train, measure, keep the report."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from cells.alone import alone_in
from cells.measure import measure
from cells.spec import Cell, Matrix, Variant, origin
from results.stored import REPORT, Run, RunFacts, save_run

from shieldclip.data.embedded import EMBEDDED
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation import EvalReport
from shieldclip.evaluation.folder import folder_evaluator
from shieldclip.training.defences import make_defence
from shieldclip.training.engine.logs import read_log
from shieldclip.training.pairs.opening import OpenedPairs, open_pairs
from shieldclip.training.recipe import Recipe, load_recipe
from shieldclip.training.run import train

REPORTS = Path(__file__).parents[1] / "reports"
LAST = "last"
"""A run's latest model."""
TRAINED = "trained"
"""In the run folder: says that its latest model is that of the end."""


def run_cell(matrix: Matrix, cell: Cell, out: Path, home: Path) -> None:
    """Train and measure a cell; what only a resumed training needs is removed.

    Nothing is done where there is a report by the time that the run folder is free.

    Args:
        matrix: that it belongs to.
        cell: which one.
        out: folder of run folders.
        home: folder of the matrix file, from where its attacks' files are named.
    """
    repaired = origin(matrix, cell)
    if repaired is not None:
        with alone_in(out / repaired.stem):
            train_cell(matrix, repaired, out, home)
    with alone_in(out / cell.stem):
        if not report_of(matrix, cell).exists():
            train_cell(matrix, cell, out, home)
            _measure_and_keep(matrix, cell, out)


def _measure_and_keep(matrix: Matrix, cell: Cell, out: Path) -> None:
    """The report of a trained cell."""
    repaired = origin(matrix, cell)
    recipe = recipe_of(matrix, cell)
    folder = out / cell.stem
    opened, report = measure_cell(matrix, cell, folder)
    log = read_log(folder)
    poisoned = len(opened.manifest.entries) / len(opened.rows) if opened.manifest else 0.0
    final = _last_step(log)
    logs = [log, *([read_log(out / repaired.stem)] if repaired else ())]
    facts = RunFacts(
        recipe=cell.recipe,
        attack=cell.attack,
        rate=cell.rate,
        poison_rate=round(poisoned, 4),
        seed=cell.seed,
        seconds=_total(logs, "seconds"),
        processor_seconds=None if torch.cuda.is_available() else _total(logs, "processor_seconds"),
        images=_images(recipe, final),
        final=final,
        plans=_plans(log),
        triggers=list(matrix.attacks[cell.attack].triggers),
        defence=recipe.defence["name"],
        revision=make_defence(recipe.defence).revision,
        classes=len(EMBEDDED["icons-100"]("test").classes),
    )
    save_run(Run(facts, report), REPORTS / matrix.name)
    shutil.rmtree(folder / "training_state", ignore_errors=True)


def train_cell(matrix: Matrix, cell: Cell, out: Path, home: Path) -> None:
    """Train a cell in its run folder, or go on with it, unless it is trained."""
    recipe = recipe_of(matrix, cell)
    folder = out / cell.stem
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / TRAINED).exists():
        return
    variant = (matrix.recipes | matrix.repairs)[cell.recipe]
    for file in (*matrix.attacks[cell.attack].files, *variant.files):
        if not (home / file).is_file():
            raise ShieldCLIPError(
                f"Expected {file} beside the matrix for {cell.stem}, got none; make it as the "
                "matrix file says."
            )
        shutil.copy(home / file, folder / file.name)
    with contextlib.chdir(folder):
        train(recipe, Path(), folder_evaluator(**recipe.evaluation.asked))
        Path(TRAINED).touch()


def measure_cell(matrix: Matrix, cell: Cell, folder: Path) -> tuple[OpenedPairs, EvalReport]:
    """The poisoned pairs that a cell is about, and what its model makes of the attack."""
    recipe = met_by(matrix, cell)
    with contextlib.chdir(folder):
        opened = open_pairs(recipe.data, recipe.model.image_size)
        return opened, measure(matrix.attacks[cell.attack], matrix.utility, opened)


def report_of(matrix: Matrix, cell: Cell) -> Path:
    """Where a cell's report is kept; it exists when the cell is done."""
    return REPORTS / matrix.name / f"{cell.stem}{REPORT}"


def recipe_of(matrix: Matrix, cell: Cell) -> Recipe:
    """What a cell trains by; paths in it are relative to its run folder."""
    repaired = origin(matrix, cell)
    if repaired is None:
        return met_by(matrix, cell)
    # Its augmentation belongs to a repair, and so do its batches; data and length are the matrix's.
    start = f"model.pretrained=../{repaired.stem}/{LAST}"
    own = (*_shared(matrix, cell), f"seed={cell.seed}", "data.poison=null", start)
    return _varied(matrix.repairs[cell.recipe], own)


def met_by(matrix: Matrix, cell: Cell) -> Recipe:
    """The recipe that meets the attack: the cell's own, or that of what it repairs."""
    met = origin(matrix, cell) or cell
    poison = _inline(_poison(matrix, met))
    own = (*_shared(matrix, met), f"seed={met.seed}", f"data.poison={poison}")
    return _varied(matrix.recipes[met.recipe], own)


def _shared(matrix: Matrix, cell: Cell) -> tuple[str, ...]:
    """Changes of all recipes that meet the cell's attack."""
    return (*matrix.changes, *matrix.attacks[cell.attack].changes)


def _varied(variant: Variant, changes: tuple[str, ...]) -> Recipe:
    return load_recipe(variant.recipe, (*changes, *variant.changes), None)


def _poison(matrix: Matrix, cell: Cell) -> dict[str, Any] | None:
    poison = matrix.attacks[cell.attack].poison
    if poison is None:
        return None
    rate = {} if cell.rate is None else {"rate": cell.rate}
    return {**poison, **rate, "seed": cell.seed}


def _inline(value: object) -> str:
    """As YAML on one line, which is what ``--set`` reads."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
    return text.removesuffix("...").strip()


def _total(logs: Sequence[list[dict[str, float]]], name: str) -> float:
    """Of what finished runs had taken by their last steps."""
    return sum(_last_step(log)[name] for log in logs)


def _last_step(log: Sequence[dict[str, float]]) -> dict[str, float]:
    """The last line that speaks of training steps."""
    return [line for line in log if "seconds" in line][-1]


def _plans(log: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """What the log says of each epoch's plan."""
    lines = ({k: v for k, v in line.items() if k.startswith("plan/")} for line in log)
    return [line for line in lines if line]


def _images(recipe: Recipe, final: dict[str, float]) -> int:
    return int(final["step"]) * recipe.optimiser.batch_size * recipe.optimiser.accumulation
