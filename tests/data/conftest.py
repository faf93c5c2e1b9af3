"""One small data set and ways to write it to disk in every format."""

from __future__ import annotations

import base64
import csv
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image


@dataclass(frozen=True)
class Example:
    """A row: PNG bytes, class name, captions."""

    png: bytes
    label: str
    captions: tuple[str, ...]


def png(seed: int, side: int = 8) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


EXAMPLES = (
    Example(png(0), "cat", ("a cat, asleep",)),
    Example(png(1), "dog", ('a "good" dog',)),
    Example(png(2), "cat", ("NA",)),
    Example(png(3), "ant", ("une fourmi\nà l'œuvre",)),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or left in the cache of the machine."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    datasets.disable_progress_bars()


def _parquet(folder: Path, rows: tuple[Example, ...]) -> Path:
    names = ["dog", "cat", "ant"]  # not in sorted order
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=names),
            "caption": datasets.Value("string"),
        }
    )
    columns = {
        "image": [{"bytes": row.png, "path": None} for row in rows],
        "label": [row.label for row in rows],
        "caption": [row.captions[0] for row in rows],
    }
    datasets.Dataset.from_dict(columns, features=features).to_parquet(folder / "data.parquet")
    return folder / "data.parquet"


def _pictures(folder: Path, rows: tuple[Example, ...]) -> list[str]:
    (folder / "pictures").mkdir(exist_ok=True)
    names = [f"pictures/{number}.png" for number in range(len(rows))]
    for name, row in zip(names, rows, strict=True):
        (folder / name).write_bytes(row.png)
    return names


def _delimited(folder: Path, rows: tuple[Example, ...], suffix: str, delimiter: str) -> Path:
    with (folder / f"data{suffix}").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["filepath", "label", "title"])
        for name, row in zip(_pictures(folder, rows), rows, strict=True):
            writer.writerow([name, row.label, row.captions[0]])
    return folder / f"data{suffix}"


def _csv(folder: Path, rows: tuple[Example, ...]) -> Path:
    return _delimited(folder, rows, ".csv", ",")


def _tsv(folder: Path, rows: tuple[Example, ...]) -> Path:
    return _delimited(folder, rows, ".tsv", "\t")


def _json_lines(folder: Path, records: list[dict[str, object]]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "data.jsonl").write_text(text, encoding="utf-8")
    return folder / "data.jsonl"


def _json_paths(folder: Path, rows: tuple[Example, ...]) -> Path:
    pairs = zip(_pictures(folder, rows), rows, strict=True)
    return _json_lines(
        folder, [{"image": n, "label": r.label, "captions": r.captions} for n, r in pairs]
    )


def _json_bytes(folder: Path, rows: tuple[Example, ...]) -> Path:
    def cell(row: Example) -> dict[str, str]:
        return {"bytes": base64.b64encode(row.png).decode()}

    return _json_lines(
        folder, [{"image": cell(r), "label": r.label, "captions": r.captions} for r in rows]
    )


def _metadata(folder: Path, rows: tuple[Example, ...]) -> Path:
    (folder / "set").mkdir()
    with (folder / "set" / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "text", "class"])
        for name, row in zip(_pictures(folder / "set", rows), rows, strict=True):
            writer.writerow([name, row.captions[0], row.label])
    return folder / "set"


def _tar(folder: Path, rows: tuple[Example, ...]) -> Path:
    with tarfile.open(folder / "data-000.tar", "w") as archive:
        for number, row in enumerate(rows):
            parts = {"png": row.png, "label.txt": row.label.encode()}
            parts["txt"] = row.captions[0].encode()
            for suffix, content in parts.items():
                member = tarfile.TarInfo(f"{number:04d}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return folder / "data-000.tar"


Writer = Callable[[Path, tuple[Example, ...]], Path]
WRITERS: dict[str, Writer] = {
    "parquet": _parquet,
    "csv": _csv,
    "tsv": _tsv,
    "jsonl-paths": _json_paths,
    "jsonl-bytes": _json_bytes,
    "metadata": _metadata,
    "webdataset": _tar,
}


@pytest.fixture(params=WRITERS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """`EXAMPLES` in one of the formats."""
    return WRITERS[request.param](tmp_path, EXAMPLES)


@pytest.fixture
def write() -> dict[str, Writer]:
    """All writers by name."""
    return WRITERS


@pytest.fixture
def examples() -> tuple[Example, ...]:
    """What the writers write."""
    return EXAMPLES


@pytest.fixture
def make_png() -> Callable[[int], bytes]:
    """Bytes of a small random picture."""
    return png
