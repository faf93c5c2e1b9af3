"""The notebook runs from its first cell to its last, and finds what it says it finds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks are read by nbformat")
nbclient = pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
pytest.importorskip("ipykernel", reason="notebooks need a kernel")

NOTEBOOK = Path(__file__).parents[2] / "examples" / "clean-and-retrain.ipynb"
PATIENCE = 600
"""Seconds for a cell, on a machine that is busy with other things."""


def printed(notebook: Any) -> list[str]:
    """What each code cell prints, in order."""
    return [
        "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def share(text: str, model: str, metric: str) -> float:
    """A figure of a model, as the notebook prints it."""
    found = re.search(rf"^{re.escape(model)} +{metric} +(\d+)%", text, re.MULTILINE)
    assert found, text
    return int(found[1]) / 100


def test_it_runs_and_ends_with_a_model_that_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=PATIENCE, resources=place).execute()
    _, _, backdoored, found, _, retrained = printed(notebook)
    assert share(backdoored, "shieldclip:icons-badnet", "ASR") > 0.9
    assert float(found.partition("ROC-AUC ")[2].split()[0]) > 0.9
    assert share(retrained, "retrained", "ASR") < 0.1
    assert share(retrained, "retrained", "top-1") > 0.4


def test_what_is_committed_shows_results_and_nothing_of_a_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 100_000
    assert not re.search(r"/(tmp|home|root|Users)/|\.venv|site-packages|[A-Z]:\\\\", text)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs or cell.source.startswith("%%capture") for cell in code)
    assert all(output.get("name") != "stderr" for cell in code for output in cell.outputs)
