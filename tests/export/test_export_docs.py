"""Every snippet of docs/export.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, exports: Any) -> Path:
    """A working directory with the exports and the picture that the page speaks of."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "exported").mkdir()
    for name in ("transformers", "open-clip", "onnx"):
        (folder / "exported" / name).symlink_to(exports(name))
    Image.new("RGB", (40, 30), "yellow").save(folder / "picture.png")
    return folder


@pytest.mark.parametrize("number", range(4))
def test_snippet_runs(place: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.chdir(place)
    exec(compile(SNIPPETS[number], f"docs/export.md, {number}", "exec"), {})


def test_no_snippet_is_left_out() -> None:
    assert len(SNIPPETS) == 4
    assert all(f"--to {name}" in PAGE for name in ("transformers", "open-clip", "onnx"))
