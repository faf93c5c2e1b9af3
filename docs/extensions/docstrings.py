"""How autodoc reads our docstrings, where its own way would mislead a reader."""

from __future__ import annotations

import yaml
from pydantic import BaseModel
from sphinx.application import Sphinx

ATTRIBUTES = {"attribute", "data", "property"}


def keep_colons(
    _app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Attributes have sentences: a colon in one does not set a type apart.

    An empty comment comes first, which is all that napoleon then takes for a type.
    """
    if what in ATTRIBUTES and lines:
        lines[:0] = ["..", ""]


def add_defaults(
    _app: Sphinx, what: str, _name: str, thing: object, _options: object, lines: list[str]
) -> None:
    """Groups of recipes and suites end with their defaults, as one would write them."""
    if what != "class" or not isinstance(thing, type) or not issubclass(thing, BaseModel):
        return
    defaults = {
        name: list(field.default) if isinstance(field.default, tuple) else field.default
        for name, field in thing.model_fields.items()
        if isinstance(field.default, bool | int | float | str | tuple | None)
    }
    if defaults:
        written = yaml.safe_dump(defaults, sort_keys=False)
        lines += ["", "Defaults:", "", ".. code-block:: yaml", ""]
        lines += ["   " + line for line in written.splitlines()]


def drop_signature(
    _app: Sphinx, _what: str, _name: str, thing: object, *_more: object
) -> tuple[str, None] | None:
    """Recipes and suites are written as YAML: their fields follow, and nobody calls them."""
    return ("", None) if isinstance(thing, type) and issubclass(thing, BaseModel) else None


def skip_settings(
    _app: Sphinx, _what: str, name: str, _thing: object, _skip: bool, _options: object
) -> bool | None:
    """Settings of pydantic are no field."""
    return True if name == "model_config" else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Docstrings before napoleon, whose priority is the usual 500."""
    app.connect("autodoc-process-docstring", add_defaults, priority=300)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    app.connect("autodoc-process-signature", drop_signature)
    app.connect("autodoc-skip-member", skip_settings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
