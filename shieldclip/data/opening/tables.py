"""CSV, TSV and JSON Lines.

Read here and not by the ``datasets`` library, so that an error can name the line, and so that
values stay what they are ("NA" and "12" are captions, "007" is a class).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa

from shieldclip.data.opening.raw import ALL, Raw
from shieldclip.data.opening.splits import choose_split
from shieldclip.data.prompts import read_text
from shieldclip.errors import ShieldCLIPError

_MAX_FIELD = 1 << 30  # characters; a picture may be written into a field

DELIMITERS = {".csv": ",", ".tsv": "\t"}
Table = dict[str, list[Any]]


def read_table(file: Path, split: str | None) -> Raw:
    """Reads a table as the split ``all``.

    Raises:
        ShieldCLIPError: not UTF-8, or a line that is not a row.
    """
    chosen = choose_split([ALL], split, str(file))
    columns, unusable = {}, []
    for name, values in READERS[file.suffix.lower()](file).items():
        try:
            columns[name] = pa.chunked_array([values])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            unusable.append(name)
    table = pa.table(columns)
    features = datasets.Features.from_arrow_schema(table.schema)
    raw = Raw(table, features, file.stem, chosen, str(file), file.resolve().parent)
    return replace(raw, untyped=file.suffix.lower() in DELIMITERS, unusable=tuple(unusable))


def read_delimited(file: Path) -> Table:
    """CSV and TSV: columns of strings."""
    reader = _reader(file)
    header: list[str] = []
    rows = []
    try:
        header = next(reader, [])
        for fields in reader:
            if fields:
                _check_width(fields, header, f"line {reader.line_num} of {file}")
                rows.append(fields)
    except csv.Error as error:
        raise ShieldCLIPError(
            f"Expected a row in line {reader.line_num} of {file}, but {error}; mend its quotes."
        ) from error
    if len(set(header)) < len(header):
        raise ShieldCLIPError(
            f"Expected different column names in {file}, got {', '.join(header)}; rename one."
        )
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def read_json_lines(file: Path) -> Table:
    """One object a line; a key that a line lacks is null there."""
    records = []
    for number, line in enumerate(io.StringIO(read_text(file)), start=1):
        if line.strip():
            records.append(_json_object(line, f"line {number} of {file}"))
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}
"""Suffix -> reader."""


def _reader(file: Path) -> Any:
    csv.field_size_limit(_MAX_FIELD)
    text = io.StringIO(read_text(file), newline="")
    return csv.reader(text, delimiter=DELIMITERS[file.suffix.lower()], strict=True)


def _check_width(fields: list[str], header: list[str], where: str) -> None:
    if len(fields) != len(header):
        raise ShieldCLIPError(
            f"Expected {len(header)} fields ({', '.join(header)}) in {where}, got {len(fields)}; "
            "put text that has the delimiter or a line break in double quotes."
        )


def _json_object(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ShieldCLIPError(
            f"Expected a JSON object in {where}, but {error.msg} at column {error.colno}; "
            "write one object a line."
        ) from error
    if not isinstance(record, dict):
        raise ShieldCLIPError(f"Expected a JSON object in {where}, got {line.strip()[:40]!r}.")
    return record
