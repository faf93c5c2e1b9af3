"""A small tokenizer in CLIP's format, so that a small checkpoint stays small."""

from __future__ import annotations

from collections.abc import Iterable

from transformers import CLIPTokenizer

from shieldclip.training import tokenizer

ENTRIES = 8_000
CONTEXT = 32
"""Longest caption, in tokens, with BOS and EOS."""


def train_tokenizer(texts: Iterable[str]) -> CLIPTokenizer:
    """The package's own, at the sizes of the zoo."""
    return tokenizer.train_tokenizer(texts, ENTRIES, CONTEXT)
