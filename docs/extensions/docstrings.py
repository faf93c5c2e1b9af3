"""How autodoc reads our docstrings, where its own way would mislead a reader."""

from __future__ import annotations

from importlib import import_module

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


def add_default(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Fields of recipes and suites end with their default."""
    if what not in ATTRIBUTES:
        return
    module, owner, attribute = name.rsplit(".", 2)
    kind = getattr(import_module(module), owner, None) if owner[0].isupper() else None
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    field = kind.model_fields.get(attribute)  # a property is none
    if field and field.is_required():
        lines += ["", "Required."]
    elif field and isinstance(field.default, bool | int | float | str | tuple | None):
        lines += ["", f"Default: ``{field.default!r}``."]


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
    """Before napoleon, whose priority is the usual 500."""
    app.connect("autodoc-process-docstring", add_default, priority=300)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    app.connect("autodoc-process-signature", drop_signature)
    app.connect("autodoc-skip-member", skip_settings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
