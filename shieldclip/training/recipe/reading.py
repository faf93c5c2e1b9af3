"""A recipe's file, with overrides, -> a checked `Recipe`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shieldclip.errors import ShieldCLIPError, in_one_line, unknown_name
from shieldclip.strict import complaint
from shieldclip.training.recipe.schema import Recipe

_PACKAGE = Path(__file__).parents[2]
FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parent / "training" / "recipes")
"""Where shipped recipes lie: in an installed package, and in a clone."""


def shipped_recipes() -> dict[str, Path]:
    """Shipped recipes by name."""
    return {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.yaml"))}


def find_recipe(name: str) -> Path:
    """The file of a shipped recipe, or a path as it is.

    Raises:
        ShieldCLIPError: neither.
    """
    if Path(name).suffix in {".yaml", ".yml"}:
        if Path(name).is_file():
            return Path(name)
        raise ShieldCLIPError(f"Expected a recipe file, but {name} does not exist; check the path.")
    known = shipped_recipes()
    if name not in known:
        raise unknown_name("recipe", name, known)
    return known[name]


def load_recipe(name: str, overrides: Iterable[str] = (), source: str | None = None) -> Recipe:
    """Read a recipe.

    Args:
        name: of a shipped recipe, or a YAML file.
        overrides: ``group.key=value``, the value as in YAML.
        source: trains on this instead of the recipe's sources. Poison, manifest and evaluation
            of the recipe belong to those, and are left out unless an override sets them.

    Raises:
        ShieldCLIPError: no such recipe, not YAML, an unknown key, or a value that does not fit.
    """
    path = find_recipe(name)
    record = _read(path)
    if source is not None:
        _train_on(record, source)
    for override in overrides:
        _override(record, override)
    try:
        return Recipe.model_validate(record)
    except ValidationError as error:
        raise ShieldCLIPError(f"Recipe {path}: {complaint(error)}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(f"Expected a recipe in YAML in {path}, but {reason}.") from error
    if not isinstance(record, dict):
        raise ShieldCLIPError(
            f"Expected keys and values in {path}, got {type(record).__name__}; "
            "see the shipped recipe `smoke`."
        )
    return record


def _train_on(record: dict[str, Any], source: str) -> None:
    """Nobody's own pairs are poisoned by a recipe that shows an attack."""
    own = {"sources": source, "poison": None, "manifest": None}
    record["data"] = {**record.get("data", {}), **own}
    record["evaluation"] = {**record.get("evaluation", {}), "suite": None}


def _override(record: dict[str, Any], override: str) -> None:
    """Set one value, making groups on the way."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ShieldCLIPError(
            f"Expected key=value, got {override!r}; write e.g. --set optimiser.epochs=10."
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ShieldCLIPError(
            f"Expected a YAML value in {override!r}; put text in quotes."
        ) from error
    *groups, last = key.strip().split(".")
    place = record
    for group in groups:
        inner = place.setdefault(group, {})
        if isinstance(inner, str) and group == "defence":
            inner = place[group] = {"name": inner}
        if inner is None:
            inner = place[group] = {}
        if not isinstance(inner, dict):
            raise ShieldCLIPError(
                f"Expected keys below {group!r}, got {inner!r}; set {group} as a whole."
            )
        place = inner
    place[last] = value
