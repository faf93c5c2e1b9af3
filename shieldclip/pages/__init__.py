"""What all pages share: one skeleton, one style, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Mapping
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

Filters = Mapping[str, Callable[..., str]]


def render_page(package: str, *, filters: Filters | None = None, **values: object) -> str:
    """A self-contained HTML page; everything shown is escaped.

    Args:
        package: holds ``page.html.j2``, which extends ``base.html.j2``; ``style.css``, which
            follows the base style; and ``page.js`` if the page is not static. No other script
            runs.
        filters: for the template.
        values: what the template shows.
    """
    own = files(package)
    script = own.joinpath("page.js")
    code = script.read_text(encoding="utf-8").strip() if script.is_file() else ""
    templates = {
        "base.html.j2": _text(__name__, "base.html.j2"),
        "page.html.j2": _text(package, "page.html.j2"),
    }
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template("page.html.j2").render(
        style=Markup(_text(__name__, "base.css") + "\n" + _text(package, "style.css")),
        script=Markup(code),
        script_hash=_hash(code),
        **values,
    )


def png_uri(image: Image.Image) -> str:
    """A picture as a PNG data URI."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _hash(code: str) -> str:
    """By which the page's policy knows its script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")


def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
