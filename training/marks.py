"""Generated parts of hand-written pages, between two marks."""

from __future__ import annotations

import re


def replace_block(text: str, name: str, content: str) -> str:
    """The text with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{begin}\n{content}\n{end}"
    return re.sub(f"{begin}.*?{end}", lambda _: block, text, flags=re.DOTALL)
