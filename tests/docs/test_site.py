"""The site builds without a warning, and needs nothing from elsewhere.

Here the reference is left out: it takes half a minute, and ``make docs`` builds it.
"""

from __future__ import annotations

import io
import re
import runpy
from pathlib import Path

import pytest
from blocks import ROOT
from sphinx.application import Sphinx

pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser.*is deprecated")

DOCS = ROOT / "docs"
REFERENCE = sorted((DOCS / "reference").glob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages, with those of the reference empty."""
    folder = tmp_path_factory.mktemp("site")
    empty = folder / "empty.md"
    empty.write_text("# Reference\n")
    beyond = runpy.run_path(str(DOCS / "conf.py"))["beyond_pages"]
    pages = beyond | {f"reference/{page.stem}": str(empty) for page in REFERENCE}
    said = io.StringIO()
    app = Sphinx(
        DOCS, DOCS, folder / "html", folder / "doctrees", "html", {"beyond_pages": pages},
        status=None, warning=said,
    )  # fmt: skip
    app.build()
    assert said.getvalue() == ""
    return folder / "html"


def test_every_page_is_built(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert pages <= {page.relative_to(site) for page in site.rglob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"', text)
        loaded += re.findall(r'<link(?=[^>]*rel="stylesheet")[^>]* href="([^"]+)"', text)
        assert loaded
        assert not [source for source in loaded if "//" in source], page.name


def test_formulas_are_mathml(site: Path) -> None:
    text = (site / "concepts" / "methods.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 10
    assert "$" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_results_are_a_page_and_links_lead_to_it(site: Path) -> None:
    assert "Verdict" in (site / "results.html").read_text(encoding="utf-8")
    assert 'href="results.html"' in (site / "otcclip.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", sorted((ROOT / "shieldclip").glob("*/__init__.py")), ids=str)
def test_public_names_are_in_the_reference(room: Path) -> None:
    if "__all__" in room.read_text(encoding="utf-8"):
        pages = "".join(page.read_text(encoding="utf-8") for page in REFERENCE)
        assert f".. automodule:: shieldclip.{room.parent.name}\n" in pages
