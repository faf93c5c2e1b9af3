"""Generated parts of hand-written pages, between two marks."""

from __future__ import annotations

import re
from pathlib import Path

from shieldclip.drafts import write_text


def replace_block(text: str, name: str, content: str) -> str:
    """The text with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{begin}\n{content}\n{end}"
    return re.sub(f"{begin}.*?{end}", lambda _: block, text, flags=re.DOTALL)


def rewrite_block(page: Path, name: str, content: str) -> None:
    """The same in a page's file, whole or not at all."""
    write_text(page, replace_block(page.read_text(encoding="utf-8"), name, content))
