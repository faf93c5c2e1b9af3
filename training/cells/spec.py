"""A matrix of runs as YAML: recipes x attacks x rates x seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator
from results.stored import CLEAN, PLAIN, stem

from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.evaluation.suite import Entry
from shieldclip.strict import Strict

Rate = Annotated[float, Field(gt=0, lt=1)]


class Attack(Strict):
    """How training pairs are poisoned, and what shows whether it worked."""

    poison: dict[str, Any] | None = None
    """A poison recipe; none for clean training."""
    rates: tuple[Rate, ...] = ()
    """Shares of poisoned pairs, a cell each; none where the poison itself says how many."""
    files: tuple[Path, ...] = ()
    """Patches and choices of poisons, relative to the matrix; copied into each run folder, where
    poison and entries call them by name."""
    entries: tuple[Entry, ...]
    """Of the suite that measures it."""
    triggers: tuple[str, ...] = ()
    """Ids of the planted triggers, where the attack has another name."""
    poisoned_pictures: bool = False
    """Whether the poisoned training pictures themselves are asked about (PSR)."""
    only: tuple[str, ...] = ()
    """Recipes that meet it; all, unless given."""
    changes: tuple[str, ...] = ()
    """Of every recipe that meets it, after those of the matrix: what its log measures, say."""


class Variant(Strict):
    """A recipe, changed."""

    recipe: str
    changes: tuple[str, ...] = ()
    """As for ``shieldclip train --set``, after those of the matrix and of the attack."""
    files: tuple[Path, ...] = ()
    """That the changes name, relative to the matrix; copied into each run folder."""

    @model_validator(mode="before")
    @classmethod
    def _unchanged(cls, value: Any) -> Any:
        return {"recipe": value} if isinstance(value, str) else value


class Matrix(Strict):
    """An experiment."""

    name: str
    question: str
    """What the experiment asks."""
    recipes: dict[str, Variant]
    """Name in the tables -> recipe; the name alone will do."""
    repairs: dict[str, Variant] = Field(default_factory=dict)
    """Likewise, of recipes that go on from what plain training made of the same poisoned pairs, on
    pairs without poison."""
    attacks: dict[str, Attack]
    utility: tuple[Entry, ...] = ()
    """Asked of every model beside what its attack asks."""
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    changes: tuple[str, ...] = ()
    """Of every recipe, as for ``shieldclip train --set``."""

    @model_validator(mode="after")
    def _repairs_have_something_to_repair(self) -> Matrix:
        if self.repairs and PLAIN not in self.recipes:
            raise ValueError(f"repairs need the recipe {PLAIN!r}, whose models they repair")
        return self

    @model_validator(mode="after")
    def _only_known_recipes(self) -> Matrix:
        for name, attack in self.attacks.items():
            unknown = set(attack.only) - set(self.recipes) - set(self.repairs)
            if unknown:
                raise ValueError(f"{name}: only {', '.join(sorted(unknown))}: no such recipe")
        return self


@dataclass(frozen=True)
class Cell:
    """One training run and its report."""

    recipe: str
    attack: str
    seed: int
    rate: float | None = None
    """Where the attack lists several."""

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return stem(self.recipe, self.attack, self.rate, self.seed)


def read_matrix(path: Path) -> Matrix:
    """Read a matrix file.

    Raises:
        ShieldCLIPError: no such file, or contents that are no matrix.
    """
    try:
        return Matrix.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(f"Expected a matrix in {path}, got: {reason}.") from error


def cells_of(matrix: Matrix) -> list[Cell]:
    """All cells: first those of the first seed, and of these the first recipe's.

    Repairs come after all that they might repair, and have no cell where nothing was poisoned.
    """
    every = [
        Cell(recipe, name, seed, rate)
        for seed in matrix.seeds
        for recipe in (*matrix.recipes, *matrix.repairs)
        for name, attack in matrix.attacks.items()
        for rate in attack.rates or (None,)
    ]
    return [cell for cell in every if _has_cell(matrix, cell)]


def share_of(matrix: Matrix, index: int, count: int) -> list[Cell]:
    """Those of worker ``index`` of ``count``; a repair falls to the worker that has its origin."""
    cells = cells_of(matrix)
    place = {cell: number for number, cell in enumerate(cells)}
    return [c for c in cells if place.get(origin(matrix, c) or c, place[c]) % count == index]


def origin(matrix: Matrix, cell: Cell) -> Cell | None:
    """The cell whose model this one repairs, if it does."""
    if cell.recipe not in matrix.repairs:
        return None
    return Cell(PLAIN, cell.attack, cell.seed, cell.rate)


def _has_cell(matrix: Matrix, cell: Cell) -> bool:
    only = matrix.attacks[cell.attack].only
    repaired = cell.recipe in matrix.repairs and cell.attack == CLEAN
    return not repaired and (not only or cell.recipe in only)
