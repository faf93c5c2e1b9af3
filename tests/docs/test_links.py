"""Links, anchors and pictures of every document resolve, in the repository as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from blocks import PAGES, ROOT
from markdown_it import MarkdownIt

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *PAGES,
    *sorted((ROOT / "model_cards").glob("*.md")),
    *sorted((ROOT / "training").glob("*.md")),
    *sorted((ROOT / "training" / "notes").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
MENTIONS = [
    file
    for folder in ("shieldclip", "training", "benchmarks", "tests", "examples")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in {".py", ".yaml", ".j2"}
]


def targets(document: Path) -> Iterator[str]:
    """What its links and pictures point to."""
    for block in MarkdownIt().enable("table").parse(document.read_text(encoding="utf-8")):
        for token in block.children or ():
            if token.type in {"link_open", "image"}:
                yield str(token.attrs["href" if token.type == "link_open" else "src"])


@cache
def anchors(document: Path) -> frozenset[str]:
    """Anchors of headings, as code hosts and the site (to the third level) make them."""
    found: list[str] = []
    tokens = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag in {"h1", "h2", "h3"}:
            text = "".join(part.content for part in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower().strip()).replace(" ", "-")
            again = sum(slug == re.sub(r"-\d+$", "", other) for other in found)
            found.append(f"{slug}-{again}" if again else slug)
    return frozenset(found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for target in targets(document):
        link = urlsplit(target)
        if link.scheme:
            assert link.scheme in {"https", "mailto"}, target
            assert link.netloc or link.path, target
            continue
        file = (document.parent / unquote(link.path)).resolve() if link.path else document
        assert file.exists(), f"{document.name} links {target}"
        assert not link.fragment or link.fragment in anchors(file), f"{document.name}: {target}"


def test_documents_that_code_mentions_exist() -> None:
    for file in MENTIONS:
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", file.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{file.relative_to(ROOT)} mentions {name}"
