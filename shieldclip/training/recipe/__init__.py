"""Training recipes: YAML -> `Recipe`."""

from shieldclip.training.recipe.reading import load_recipe, shipped_recipes
from shieldclip.training.recipe.schema import Recipe

__all__ = ["Recipe", "load_recipe", "shipped_recipes"]
