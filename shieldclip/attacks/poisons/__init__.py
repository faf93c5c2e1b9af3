"""Poisons: one file each, all in the registry ``POISONS``.

poison = make_poison(read_recipe(Path("recipe.yaml")))
poisoned, manifest = poison(source.rows, source.classes)
"""

from __future__ import annotations

from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.recipe import POISONS, make_poison, read_recipe

__all__ = ["POISONS", "Poison", "make_poison", "read_recipe"]
