"""From the columns of a file to the columns of a `Source`."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import pyarrow as pa
from datasets.table import InMemoryTable

from shieldclip.data.opening.captions import to_captions
from shieldclip.data.opening.columns import Columns, choose, is_text
from shieldclip.data.opening.labels import (
    Labels,
    check_filled,
    from_names,
    from_numbers,
    numbers_if_all_are,
)
from shieldclip.data.opening.pictures import to_cells
from shieldclip.data.opening.raw import Raw
from shieldclip.errors import ShieldCLIPError

FEATURES = {
    "image": datasets.Image(decode=False),
    "label": datasets.Value("int64"),
    "captions": datasets.List(datasets.Value("string")),
}


def arrange(
    raw: Raw, wanted: Columns, classes: Sequence[str] | None
) -> tuple[datasets.Dataset, tuple[str, ...]]:
    """Columns ``image``, ``label`` and ``captions``, and the names of the labels.

    Pictures stay where they are, on disk or in memory-mapped files.

    Raises:
        ShieldCLIPError: no rows, a missing column, or values that do not fit.
    """
    if raw.table.num_rows == 0:
        raise ShieldCLIPError(f"Expected at least one row in {raw.path}, but it is empty.")
    chosen = choose(raw, wanted)
    columns = {"image": to_cells(raw.table[chosen.image], raw.base, raw.path)}
    labels = _labels(raw, chosen, wanted, classes)
    if labels:
        columns["label"] = labels[0]
    if chosen.caption:
        columns["captions"] = to_captions(raw.table[chosen.caption], raw.path)
    features = datasets.Features({name: FEATURES[name] for name in columns})
    rows = datasets.Dataset(
        InMemoryTable(pa.table(columns)), info=datasets.DatasetInfo(features=features)
    )
    return rows, labels[1] if labels else ()


def _labels(
    raw: Raw, chosen: Columns, wanted: Columns, classes: Sequence[str] | None
) -> Labels | None:
    """Labels with their names; none if there are none, or only a guess at nameless numbers."""
    if chosen.label is None:
        return None
    column = raw.table[chosen.label]
    if raw.untyped:
        column = numbers_if_all_are(column)
    names = classes or getattr(raw.features.get(chosen.label), "names", None)
    if pa.types.is_integer(column.type):
        if not names and wanted.label is None and chosen.caption:
            return None
        if not names:
            raise ShieldCLIPError(
                f"Expected class names for the numbers in column {chosen.label!r} of {raw.path}; "
                "pass a file with one name a line with --classes."
            )
        check_filled(column, raw.path)
        return from_numbers(column, names, raw.path)
    if is_text(column.type):
        check_filled(column, raw.path)
        return from_names(column, classes, raw.classes_by_folder, raw.path)
    raise ShieldCLIPError(
        f"Expected one label a row, an integer or a string, in column {chosen.label!r} of "
        f"{raw.path}, got values of type {column.type}; choose another with --label-column."
    )
