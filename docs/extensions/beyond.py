"""Files outside of this folder: some become pages, and links to them lead to pages.

In the repository the same links lead to the files themselves.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """The text of a page, before it is parsed."""
    if page in app.config.beyond_pages:
        file = Path(app.srcdir, app.config.beyond_pages[page])
        app.env.note_dependency(str(file.resolve()))
        source[0] = file.read_text(encoding="utf-8")
    for link, there in app.config.beyond_links.items():
        source[0] = source[0].replace(f"]({link})", f"]({there})")


def setup(app: Sphinx) -> dict[str, bool]:
    """Its two settings, and when it reads."""
    app.add_config_value("beyond_pages", {}, "env", dict)
    app.add_config_value("beyond_links", {}, "env", dict)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
