"""Docstrings of attributes are sentences: a colon in one does not set a type apart."""

from __future__ import annotations

from sphinx.application import Sphinx

ATTRIBUTES = {"attribute", "data", "property"}


def keep_colons(
    _app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """An empty comment comes first, which is all that napoleon then reads as a type."""
    if what in ATTRIBUTES and lines:
        lines[:0] = ["..", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Before napoleon, whose priority is the usual 500."""
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
