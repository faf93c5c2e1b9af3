"""How far each cell of a matrix is, read from what it has left on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cells.run import recipe_of, report_of
from cells.spec import Cell, Matrix
from results.stored import load_facts

from shieldclip.training.engine.logs import read_log

Status = Literal["done", "running", "failed", "missing"]


@dataclass(frozen=True)
class CellProgress:
    """One cell."""

    cell: Cell
    status: Status
    share: float
    """Of its training that is done, in [0, 1]; a killed run goes on from there."""
    seconds: float | None
    """Its training took, where it is done."""


def progress_of(
    matrix: Matrix,
    cells: Sequence[Cell],
    out: Path,
    running: Collection[Cell] = (),
    failed: Collection[Cell] = (),
) -> list[CellProgress]:
    """Look at every cell.

    Args:
        matrix: that they belong to.
        cells: to look at.
        out: folder of run folders.
        running: cells at work now.
        failed: cells that ended without a report.
    """
    found = []
    for cell in cells:
        report = report_of(matrix, cell)
        if report.exists():
            found.append(CellProgress(cell, "done", 1.0, load_facts(report).seconds))
            continue
        status: Status = "missing"
        if cell in running:
            status = "running"
        elif cell in failed:
            status = "failed"
        found.append(CellProgress(cell, status, _share(matrix, cell, out), None))
    return found


def time_left(states: Sequence[CellProgress], jobs: int) -> float | None:
    """Seconds until all is done, by what finished cells of the same recipe took.

    Args:
        states: of all cells.
        jobs: cells at a time.

    Returns:
        ``None`` before any cell is finished.
    """
    took = _mean_seconds(states)
    if not took:
        return None
    overall = sum(took.values()) / len(took)
    left = (
        (1 - state.share) * took.get(state.cell.recipe, overall)
        for state in states
        if state.status in ("running", "missing")
    )
    return sum(left) / jobs


def _mean_seconds(states: Sequence[CellProgress]) -> Mapping[str, float]:
    """By recipe."""
    taken: dict[str, list[float]] = {}
    for state in states:
        if state.seconds is not None:
            taken.setdefault(state.cell.recipe, []).append(state.seconds)
    return {recipe: sum(each) / len(each) for recipe, each in taken.items()}


def _share(matrix: Matrix, cell: Cell, out: Path) -> float:
    """Of the training of an unfinished cell, by its log."""
    log = read_log(out / cell.stem)
    if not log:
        return 0.0
    optimiser = recipe_of(matrix, cell).optimiser
    if optimiser.epochs is not None:
        return min(1.0, log[-1]["epoch"] / optimiser.epochs)
    images = log[-1]["step"] * optimiser.batch_size * optimiser.accumulation
    return min(1.0, images / (optimiser.samples or images))
