"""Small English: articles and joined phrases for captions."""

from __future__ import annotations

_PLURAL_WITHOUT_S = {"people", "dango"}
_SINGULAR_WITH_S = ("ss", "us", "is")


def with_article(noun: str) -> str:
    """``apple`` -> ``an apple``; plurals stay as they are."""
    last = noun.split()[-1]
    plural_s = last.endswith("s") and not last.endswith(_SINGULAR_WITH_S)
    if plural_s or last in _PLURAL_WITHOUT_S:
        return noun
    return f"an {noun}" if noun[0] in "aeio" or noun.startswith("um") else f"a {noun}"
