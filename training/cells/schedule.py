"""Run the cells of a matrix, each in a process of its own, several at a time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cells.run import report_of
from cells.spec import Cell, Matrix, origin

CONSOLE = "console.log"
"""In the run folder: what a cell printed."""
_PAUSE = 1.0
"""Seconds between two looks."""


@dataclass
class Schedule:
    """What runs, what waits, what failed."""

    waiting: list[Cell]
    running: dict[Cell, subprocess.Popen[bytes]] = field(default_factory=dict)
    failed: list[Cell] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether nothing runs and nothing can be started."""
        return not self.running and not self.waiting


def work_off(
    matrix: Matrix,
    cells: Sequence[Cell],
    start: Callable[[Cell], subprocess.Popen[bytes]],
    jobs: int,
) -> Iterator[Schedule]:
    """Run all cells that have no report; the others wait until there is room.

    A repair waits for what it repairs, and is not tried where that failed. When the caller stops
    asking, or is interrupted, running cells are ended; they go on from there the next time.

    Args:
        matrix: that they belong to.
        cells: in the order to run them.
        start: starts the process of a cell.
        jobs: cells at a time.

    Yields:
        The state, about once a second.
    """
    schedule = Schedule([cell for cell in cells if not report_of(matrix, cell).exists()])
    with _ended_at_last(schedule):
        while not schedule.finished:
            _collect(schedule, matrix)
            _start(schedule, matrix, start, jobs)
            yield schedule
            time.sleep(_PAUSE)
        yield schedule


def leave_on_sigterm() -> None:
    """Of this process: end as after Ctrl-C, so that running cells are ended, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def process_of(cell: Cell, matrix_file: Path, out: Path, threads: int) -> subprocess.Popen[bytes]:
    """Start ``run_cell.py`` for one cell, its output going to a file of the run folder."""
    folder = out / cell.stem
    folder.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).parents[1] / "run_cell.py"
    options = ("--out", str(out), "--threads", str(threads))
    with (folder / CONSOLE).open("ab") as console:
        return subprocess.Popen(
            (sys.executable, str(script), str(matrix_file), cell.stem, *options),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )


def _collect(schedule: Schedule, matrix: Matrix) -> None:
    """Take ended processes out."""
    for cell, process in list(schedule.running.items()):
        if process.poll() is None:
            continue
        del schedule.running[cell]
        if process.returncode or not report_of(matrix, cell).exists():
            schedule.failed.append(cell)
            hopeless = [c for c in schedule.waiting if origin(matrix, c) == cell]
            schedule.failed += hopeless
            schedule.waiting = [c for c in schedule.waiting if c not in hopeless]


def _start(
    schedule: Schedule,
    matrix: Matrix,
    start: Callable[[Cell], subprocess.Popen[bytes]],
    jobs: int,
) -> None:
    """Fill the free places."""
    for cell in list(schedule.waiting):
        if len(schedule.running) == jobs:
            return
        repaired = origin(matrix, cell)
        if repaired is None or repaired not in (*schedule.waiting, *schedule.running):
            schedule.waiting.remove(cell)
            schedule.running[cell] = start(cell)


@contextmanager
def _ended_at_last(schedule: Schedule) -> Iterator[None]:
    try:
        yield
    finally:
        for process in schedule.running.values():
            process.terminate()
        for process in schedule.running.values():
            process.wait()
