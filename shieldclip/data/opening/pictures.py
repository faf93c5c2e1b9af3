"""The column of pictures, however stored, as ``struct<bytes, path>``."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from shieldclip.data.opening.columns import is_bytes, is_text
from shieldclip.errors import ShieldCLIPError

CELL = pa.struct({"bytes": pa.binary(), "path": pa.string()})
_DATA_URI = "data:image/"


def to_cells(column: pa.ChunkedArray, base: Path | None, where: str) -> pa.ChunkedArray:
    """Pictures as cells ``{bytes, path}``; embedded bytes are shared, not copied.

    Args:
        column: cells, bytes, or strings: paths or data URIs.
        base: folder that relative paths start from.
        where: the file, for errors.

    Raises:
        ShieldCLIPError: values of another type, URLs, or base64 that is none.
    """
    cells, first = [], 0
    for chunk in column.chunks:
        cells.append(_chunk_to_cells(chunk, base, f"{where}, row {{}}", first))
        first += len(chunk)
    return pa.chunked_array(cells, CELL)


def _chunk_to_cells(chunk: pa.Array, base: Path | None, where: str, first: int) -> pa.Array:
    kind = chunk.type
    if is_bytes(kind):
        return _cells(chunk.cast(pa.binary()), pa.nulls(len(chunk), pa.string()))
    if is_text(kind):
        pairs = [
            _from_string(text, base, where.format(row))
            for row, text in enumerate(chunk.to_pylist(), first)
        ]
        return pa.array([{"bytes": content, "path": path} for content, path in pairs], CELL)
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return _from_structs(chunk, base, where, first)
    raise ShieldCLIPError(
        f"Expected pictures as bytes or paths in {where.format(first)}, got values of type {kind}; "
        "choose another column with --image-column."
    )


def _from_structs(chunk: pa.Array, base: Path | None, where: str, first: int) -> pa.Array:
    content = pc.struct_field(chunk, "bytes")
    if is_text(content.type):  # base64, as JSON has no bytes
        texts = content.to_pylist()
        decoded = [
            None if text is None else _from_base64(text, where.format(row))
            for row, text in enumerate(texts, first)
        ]
        content = pa.array(decoded, pa.binary())
    paths = pa.nulls(len(chunk), pa.string())
    if chunk.type.get_field_index("path") >= 0:
        paths = pc.struct_field(chunk, "path").cast(pa.string())
    content = content.cast(pa.binary())
    if base is not None and content.null_count:
        on_disk = [
            path if path is None or embedded else _whole(path, base)
            for path, embedded in zip(
                paths.to_pylist(), content.is_valid().to_pylist(), strict=True
            )
        ]
        paths = pa.array(on_disk, pa.string())
    return _cells(content, paths)


def _cells(content: pa.Array, paths: pa.Array) -> pa.Array:
    return pa.StructArray.from_arrays([content, paths], fields=list(CELL))


def _from_string(
    text: str | None, base: Path | None, where: str
) -> tuple[bytes | None, str | None]:
    """A path or a data URI -> bytes, path."""
    if not text:
        raise ShieldCLIPError(f"Expected a picture in {where}, but the field is empty; fill it in.")
    if text.startswith(_DATA_URI):
        return _from_base64(text.partition("base64,")[2], where), None
    if text.startswith(("http://", "https://")):
        raise ShieldCLIPError(
            f"Expected a file in {where}, got the URL {text}; download the pictures first, "
            "e.g. with img2dataset."
        )
    return None, text if base is None else _whole(text, base)


def _whole(path: str, base: Path) -> str:
    return str(base / path)


def _from_base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ShieldCLIPError(
            f"Expected base64 in {where}, but {error}; encode the picture's bytes again."
        ) from error
