"""What a run keeps in its folder, and where it goes on after an interruption."""

from __future__ import annotations

from pathlib import Path

import yaml

from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError
from shieldclip.training.recipe.reading import load_recipe
from shieldclip.training.recipe.resolved import resolved
from shieldclip.training.recipe.schema import Recipe

STATE = "training_state"
_FREE = {"about", "evaluation", "log"}
"""Groups of a recipe that change no weight."""


def keep_recipe(recipe: Recipe, out: Path) -> None:
    """Write the recipe as resolved; that of a run to go on with may differ in `_FREE` only.

    Raises:
        ShieldCLIPError: it differs elsewhere.
    """
    recipe = resolved(recipe)
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path = out / "recipe.yaml"
    if latest_checkpoint(out) is not None and path.exists():
        begun = resolved(load_recipe(str(path)))
        if begun.model_dump(exclude=_FREE) != recipe.model_dump(exclude=_FREE):
            raise ShieldCLIPError(
                f"Expected the recipe that the run in {out} began with, got another; choose "
                "another --out, or delete the folder to start anew (about, evaluation and log may "
                "change)."
            )
    write_text(path, text)


def resumed_step(out: Path) -> int:
    """Optimiser steps done before this start."""
    checkpoint = latest_checkpoint(out)
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def latest_checkpoint(out: Path) -> Path | None:
    """The state to resume from, if there is one."""
    found = (out / STATE).glob("checkpoint-*")
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
