"""A matrix of runs as YAML: recipes x attacks x seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.suite import Entry
from shieldclip.strict import Strict


class Attack(Strict):
    """How training pairs are poisoned, and what shows whether it worked."""

    poison: dict[str, Any] | None = None
    """A poison recipe; none for clean training."""
    entries: tuple[Entry, ...]
    """Of the suite that measures it."""
    trigger: str = ""
    """Id of the planted trigger, where the attack has another name."""
    poisoned_pictures: bool = False
    """Whether the poisoned training pictures themselves are asked about (PSR)."""


class Matrix(Strict):
    """An experiment."""

    name: str
    question: str
    """What the experiment asks."""
    recipes: dict[str, str]
    """Name in the tables -> recipe."""
    attacks: dict[str, Attack]
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    changes: tuple[str, ...] = ()
    """Of every recipe, as for ``shieldclip train --set``."""


@dataclass(frozen=True)
class Cell:
    """One training run and its report."""

    recipe: str
    attack: str
    seed: int

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return f"{self.recipe}__{self.attack}__{self.seed}"


def read_matrix(path: Path) -> Matrix:
    """Read a matrix file.

    Raises:
        ShieldCLIPError: no such file, or contents that are no matrix.
    """
    try:
        return Matrix.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        reason = " ".join(str(error).split())
        raise ShieldCLIPError(f"Expected a matrix in {path}, got: {reason}.") from error


def cells_of(matrix: Matrix) -> list[Cell]:
    """All cells: first those of the first seed, and of these the first recipe's."""
    return [
        Cell(recipe, attack, seed)
        for seed in matrix.seeds
        for recipe in matrix.recipes
        for attack in matrix.attacks
    ]
