"""A recipe with every default that decides what a run does."""

from __future__ import annotations

from dataclasses import asdict

from shieldclip.training.defences import make_defence
from shieldclip.training.recipe.schema import Recipe


def resolved(recipe: Recipe) -> Recipe:
    """The recipe with the settings of its defence that it leaves out.

    Raises:
        ShieldCLIPError: an unknown defence or setting.
    """
    settings = asdict(make_defence(recipe.defence))
    return recipe.model_copy(update={"defence": {"name": recipe.defence["name"], **settings}})
