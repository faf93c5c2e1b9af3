"""Rows of knowledge, and the files that hold them: parquet, JSON Lines or one JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

import pyarrow as pa
import pyarrow.parquet as pq

from shieldclip.drafts import drafted, write_text
from shieldclip.errors import ShieldCLIPError, in_one_line

_SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "elements": pa.list_(pa.string()),
        "source": pa.string(),
        "prompt_version": pa.string(),
    }
)
FORMATS = (".parquet", ".jsonl", ".json")


@dataclass(frozen=True)
class KnowledgeRow:
    """What one source says about one text."""

    text: str
    """A caption or a class name."""
    elements: tuple[str, ...]
    """Phrases of one to four words, lower case, without repeats."""
    source: str
    """Who said it, e.g. ``wordnet`` or ``lm:SmolLM2-135M-Instruct.Q4_1.gguf``."""
    prompt_version: str = ""
    """Name of the prompt; empty where nothing was asked."""


def read_rows(path: Path) -> list[KnowledgeRow]:
    """Rows of a knowledge file, in its order.

    A ``.json`` file is a list of rows or a plain mapping ``{text: [element, ...]}``.

    Raises:
        ShieldCLIPError: no such file, another kind of file, or a row without text and elements.
    """
    check_format(path)
    try:
        records = _READERS[path.suffix](path)
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a knowledge file at {str(path)!r}, got: {error.strerror or error}; "
            "`shieldclip knowledge` writes one."
        ) from error
    except (ValueError, pa.ArrowException) as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(
            f"Expected knowledge rows in {str(path)!r}, got: {reason}; write it again."
        ) from error
    return [_as_row(record, number, path) for number, record in enumerate(records, 1)]


def write_rows(rows: Iterable[KnowledgeRow], path: Path) -> None:
    """Write a knowledge file, whole or not at all."""
    check_format(path)
    records = [asdict(row) | {"elements": list(row.elements)} for row in rows]
    if path.suffix == ".parquet":
        with drafted(path) as draft:
            pq.write_table(pa.Table.from_pylist(records, _SCHEMA), draft, compression="zstd")
    elif path.suffix == ".jsonl":
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        write_text(path, "".join(lines))
    else:
        write_text(path, json.dumps(records, ensure_ascii=False, indent=1) + "\n")


def check_format(path: Path) -> None:
    """Fail early on a file name that no knowledge file has."""
    if path.suffix not in FORMATS:
        raise ShieldCLIPError(
            f"Expected a knowledge file ending in {', '.join(FORMATS)}, got {str(path)!r}; "
            "rename it or choose one of these formats."
        )


def _read_parquet(path: Path) -> list[Any]:
    return list(pq.read_table(path).to_pylist())


def _read_jsonl(path: Path) -> list[Any]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _read_json(path: Path) -> list[Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        return [{"text": text, "elements": elements} for text, elements in content.items()]
    if not isinstance(content, list):
        raise ValueError(f"a JSON {type(content).__name__}, not a list or mapping")
    return content


_READERS = {".parquet": _read_parquet, ".jsonl": _read_jsonl, ".json": _read_json}


def _as_row(record: Any, number: int, path: Path) -> KnowledgeRow:
    text = record.get("text") if isinstance(record, Mapping) else None
    elements = record.get("elements") if isinstance(record, Mapping) else None
    if not isinstance(text, str) or not _are_strings(elements):
        raise ShieldCLIPError(
            f"Expected a text and a list of elements, got {record!r:.80} as row {number} of "
            f"{str(path)!r}; each row needs text (str) and elements (list of str)."
        )
    return KnowledgeRow(
        text=text,
        elements=tuple(elements),
        source=str(record.get("source") or f"file:{path.name}"),
        prompt_version=str(record.get("prompt_version") or ""),
    )


def _are_strings(elements: object) -> TypeGuard[list[str]]:
    return isinstance(elements, list) and all(isinstance(element, str) for element in elements)
