"""A name for what a data set holds, whatever file format holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_BATCH = 256
_LONG = 5_000  # rows from which on a progress bar is shown
_ABSENT = b"\xff" * 8  # no length is that large


def fingerprint_rows(rows: datasets.Dataset, classes: Sequence[str] | None = None) -> str:
    """SHA-256 over picture bytes, class names and captions in row order.

    A picture on disk counts with the content of its file, and one that is missing as missing. A
    label counts with its name, so neither the order of the classes nor the file format matters.

    Args:
        rows: columns ``image`` and, where known, ``label`` and ``captions``.
        classes: names of the labels; by default those of the column's ``ClassLabel``.
    """
    if classes is None and "label" in rows.features:
        classes = getattr(rows.features["label"], "names", None)
    columns = [name for name in ("image", "label", "captions") if name in rows.column_names]
    digest = hashlib.sha256()
    with _progress(len(rows)) as progress:
        task = progress.add_task("fingerprint", total=len(rows))
        for table in rows.select_columns(columns).with_format("arrow").iter(_BATCH):
            for row in table.to_pylist():
                for part in _parts(row, classes):
                    digest.update(_ABSENT if part is None else len(part).to_bytes(8, "little"))
                    digest.update(part or b"")
            progress.advance(task, table.num_rows)
    return digest.hexdigest()


def _parts(row: dict[str, Any], classes: Sequence[str] | None) -> list[bytes | None]:
    """What is hashed of a row: picture, label, number of captions, captions."""
    label = row.get("label")
    name = None if label is None else (classes[label] if classes else str(label)).encode()
    captions = row.get("captions") or []
    return [
        picture_content(row["image"]),
        name,
        str(len(captions)).encode(),
        *(caption.encode() for caption in captions),
    ]


def picture_content(cell: dict[str, Any]) -> bytes | None:
    """Bytes of a cell of ``image``, or of the file it names; ``None`` where that is missing."""
    content: bytes | None = cell["bytes"]
    if content is not None or not cell["path"]:
        return content
    try:
        return Path(cell["path"]).read_bytes()
    except OSError:
        return None


def _progress(rows: int) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=rows < _LONG,
    )
