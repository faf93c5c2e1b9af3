"""Which stored runs speak of a recipe: those of a matrix that runs it under its name alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cells.run import recipe_of
from cells.spec import Cell, Matrix, read_matrix
from results.attacked import Aim, Attacked, join
from results.stored import CLEAN, PLAIN, Run

from shieldclip.training.recipe import Recipe, load_recipe

REFERENCES = ("finetune.yaml", "scratch.yaml")
"""Matrices whose figures recipes state: the first one that ran the recipe."""
ATTACK = "badnet"
"""Under which they state them."""
OTHER_USE = {"about", "evaluation", "log", "seed"}
"""Groups of a recipe that do not decide what is learned."""
OF_NO_LENGTH = {"data.poison.rate", "model.pretrained"}
"""Settings that may differ between runs that take equally long."""


@dataclass(frozen=True)
class Evidence:
    """Runs of a recipe under one attack, and what they are set against."""

    matrix: str
    """File name."""
    attacked: Attacked
    aim: Aim
    plain: Attacked | None
    """Plain training under the attack, with the same seeds; none beside itself."""
    clean: Attacked | None
    """Plain training on clean pairs, with the same seeds."""
    repaired: bool
    """Whether the recipe repairs what plain training made."""
    own: Recipe
    """As its file says."""
    trained: Recipe
    """As the matrix trained it."""

    @property
    def changed(self) -> dict[str, Any]:
        """What the matrix sets otherwise than the file: keys and its values."""
        before, after = dict(_settings(self.own)), dict(_settings(self.trained))
        keys = sorted(before.keys() | after.keys())
        return {key: after.get(key) for key in keys if before.get(key) != after.get(key)}

    @property
    def as_long(self) -> bool:
        """Whether the recipe itself takes as long as these runs."""
        return OF_NO_LENGTH.issuperset(self.changed)


def read_references(folder: Path) -> dict[str, Matrix]:
    """The matrices in `REFERENCES` by file name."""
    return {name: read_matrix(folder / name) for name in REFERENCES}


def evidence_for(
    path: Path, references: Mapping[str, Matrix], experiments: Mapping[str, Sequence[Run]]
) -> Evidence | None:
    """What is stored of a recipe's file, if anything is."""
    for file, matrix in references.items():
        name = _unchanged(matrix, path.stem)
        groups = join(experiments.get(matrix.name, ()))
        attacked = next((g for g in groups if (g.recipe, g.attack) == (name, ATTACK)), None)
        aim = _aim(attacked)
        if name is None or attacked is None or aim is None:
            continue
        beside = {(g.recipe, g.attack, g.rate): g.alike(attacked) for g in groups}
        return Evidence(
            matrix=file,
            attacked=attacked,
            aim=aim,
            plain=None if name == PLAIN else beside.get((PLAIN, ATTACK, attacked.rate)),
            clean=beside.get((PLAIN, CLEAN, 0.0)),
            repaired=name in matrix.repairs,
            own=load_recipe(str(path)),
            trained=recipe_of(matrix, Cell(name, ATTACK, matrix.seeds[0])),
        )
    return None


def _unchanged(matrix: Matrix, recipe: str) -> str | None:
    """The name that a matrix has for a recipe as it is."""
    variants = (matrix.recipes | matrix.repairs).items()
    return next((n for n, v in variants if v.recipe == recipe and not v.changes), None)


def _aim(attacked: Attacked | None) -> Aim | None:
    """The first whose success was measured."""
    if attacked is None:
        return None
    return next((aim for aim in attacked.aims() if attacked.successes("asr", aim)), None)


def _settings(recipe: Recipe) -> Iterator[tuple[str, Any]]:
    """Key and value of what is learned; a poison's seed is the run's."""
    record = recipe.model_dump(mode="json", exclude=OTHER_USE)
    return (pair for pair in _leaves(record) if pair[0] != "data.poison.seed")


def _leaves(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value
