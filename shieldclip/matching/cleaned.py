"""The cleaned data set: pictures with the captions that a matching leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from shieldclip.data.source import Source
from shieldclip.drafts import drafted, write_text
from shieldclip.matching.judge import DROP, RECAPTION
from shieldclip.progress import progress_bar

_BATCH = 256
_CARD = """\
---
tags: [shieldclip, matched]
---

# Cleaned data set

{rows} of {total} pictures of {name}, with the captions that `shieldclip match` trusts. `source_row`
is the row in the original data.
"""


def captions_left(table: pa.Table) -> dict[int, list[str]]:
    """Row -> its captions after all decisions, equal ones once; rows without any are left out."""
    left: dict[int, list[str]] = {}
    columns = ("row", "caption", "new_caption", "decision")
    for row, own, new, decision in zip(*(table[name].to_pylist() for name in columns), strict=True):
        if decision != DROP:
            caption = new if decision == RECAPTION else own
            of_row = left.setdefault(row, [])
            if caption not in of_row:
                of_row.append(caption)
    return left


def write_cleaned(source: Source, table: pa.Table, folder: Path) -> int:
    """Write ``data.parquet`` with embedded pictures, and a card; files appear whole.

    Args:
        source: the data that were matched.
        table: columns as `table.SCHEMA`.
        folder: made if it is not there.

    Returns:
        rows written.
    """
    left = captions_left(table)
    features = _features(source)
    rows = list(left)
    with drafted(folder / "data.parquet") as draft:
        with (
            pq.ParquetWriter(draft, features.arrow_schema) as writer,
            progress_bar("writing pictures", len(rows)) as advance,
        ):
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                writer.write_table(_batch(source, batch, left, features))
                advance(len(batch))
        card = _CARD.format(rows=len(rows), total=len(source.rows), name=source.name)
        write_text(folder / "README.md", card)
    return len(rows)


def _features(source: Source) -> datasets.Features:
    features: dict[str, Any] = {
        "image": datasets.Image(),
        "captions": datasets.List(datasets.Value("string")),
        "source_row": datasets.Value("int64"),
    }
    if "label" in source.rows.column_names:
        names = list(source.classes)
        features["label"] = datasets.ClassLabel(names=names) if names else datasets.Value("int64")
    return datasets.Features(features)


def _batch(
    source: Source, rows: list[int], left: dict[int, list[str]], features: datasets.Features
) -> pa.Table:
    columns = source.rows.select(rows)[:]
    columns["image"] = [_embedded(cell) for cell in columns["image"]]
    columns["captions"] = [left[row] for row in rows]
    columns["source_row"] = rows
    return pa.table({name: columns[name] for name in features}, schema=features.arrow_schema)


def _embedded(cell: dict[str, Any]) -> dict[str, Any]:
    content, path = cell["bytes"], cell["path"]
    name = Path(path).name if path else None
    return {"bytes": Path(path).read_bytes() if content is None else content, "path": name}
