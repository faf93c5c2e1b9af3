"""What is done of a matrix and what remains, as a table for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from cells.progress import CellProgress, Status, time_left
from cells.spec import Matrix
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

MARKS: dict[Status, tuple[str, str]] = {
    "done": ("●", "green"),
    "running": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "missing": ("·", "dim"),
}
"""Mark and style of a cell."""
LEGEND = "● done  ◐ at work  ✗ failed  · to do; a mark for each seed"


def board(matrix: Matrix, states: Sequence[CellProgress], jobs: int) -> Group:
    """Attacks down, recipes across, a mark for each seed.

    Args:
        matrix: shown.
        states: of its cells.
        jobs: cells at a time, for the time left.
    """
    recipes = [*matrix.recipes, *matrix.repairs]
    table = Table(title=matrix.name, header_style="bold", box=SIMPLE_HEAD)
    table.add_column("attack", no_wrap=True)
    for recipe in recipes:
        table.add_column(recipe, justify="center", overflow="fold")
    rows = dict.fromkeys((state.cell.attack, state.cell.rate) for state in states)
    for attack, rate in rows:
        named = attack if rate is None else f"{attack} {100 * rate:g} %"
        of_attack = [s for s in states if (s.cell.attack, s.cell.rate) == (attack, rate)]
        table.add_row(named, *(_marks(of_attack, recipe) for recipe in recipes))
    return Group(table, _summary(states, jobs), Text(LEGEND, "dim"))


def _marks(states: Sequence[CellProgress], recipe: str) -> Text:
    text = Text()
    for state in states:
        if state.cell.recipe == recipe:
            mark, style = MARKS[state.status]
            begun = state.status != "done" and state.share > 0
            text.append(f"{mark}{state.share:.0%}" if begun else mark, style)
    return text


def _summary(states: Sequence[CellProgress], jobs: int) -> str:
    """Counts, and the time left where it can be told."""
    counts = {status: sum(s.status == status for s in states) for status in MARKS}
    parts = [f"{counts['done']} of {len(states)} done"]
    parts += [f"{counts[s]} {said}" for s, said in _SAID.items() if counts[s]]
    seconds = time_left(states, jobs)
    if seconds:
        hours, minutes = divmod(round(seconds / 60), 60)
        parts.append(f"about {hours} h {minutes:02} min left")
    return ", ".join(parts)


_SAID: dict[Status, str] = {"running": "at work", "failed": "failed"}
