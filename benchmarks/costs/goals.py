"""What is wanted of which figure, and whether it is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from costs.numbers import decisive

from shieldclip.evaluation.markdown import to_table
from shieldclip.evaluation.table import MISSING, Cell, Table, numbers, texts


@dataclass(frozen=True)
class Goal:
    """A figure and its bound."""

    what: str
    figure: float | None
    """``None`` where it was not measured."""
    bound: float
    at_least: bool = False
    """Otherwise the figure is to be at most the bound."""
    unit: str = ""

    def met_by(self, figure: float) -> bool:
        """Whether a figure keeps the bound."""
        return figure >= self.bound if self.at_least else figure <= self.bound

    @property
    def met(self) -> bool:
        """Whether this one does."""
        return self.figure is not None and self.met_by(self.figure)

    @property
    def wanted(self) -> str:
        """The bound, in words."""
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g} {self.unit}".rstrip()

    @property
    def measured(self) -> str:
        """The figure, on the same side of the bound as printed."""
        if self.figure is None:
            return MISSING
        return f"{decisive(self.figure, self.met_by)} {self.unit}".rstrip()

    @property
    def verdict(self) -> str:
        """One word or two."""
        if self.figure is None:
            return "not measured"
        return "met" if self.met else "missed"


def to_markdown(goals: Sequence[Goal]) -> str:
    """How many are met, and a table."""
    rows = tuple(
        (
            Cell(goal.what),
            Cell(goal.wanted),
            Cell(goal.measured),
            Cell(goal.verdict, strong=not goal.met),
        )
        for goal in goals
    )
    columns = (*texts("Figure", "Wanted"), *numbers("Measured"), *texts("Verdict"))
    met = sum(goal.met for goal in goals)
    return f"{met} of {len(goals)} are met.\n\n{to_table(Table('Goals', columns, rows))}"
