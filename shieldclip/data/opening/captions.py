"""The column of captions, single or several, as lists of strings."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from shieldclip.data.opening.columns import is_list, is_text
from shieldclip.errors import ShieldCLIPError


def to_captions(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Strings or lists of strings -> lists of one or more strings, none of them blank.

    Raises:
        ShieldCLIPError: values of another type, or a row without a caption.
    """
    lists = pa.chunked_array(
        [_to_lists(chunk, where) for chunk in column.chunks], pa.list_(pa.string())
    )
    first = 0
    for chunk in lists.chunks:
        _check(chunk, first, where)
        first += len(chunk)
    return lists


def _to_lists(chunk: pa.Array, where: str) -> pa.Array:
    if is_text(chunk.type):
        offsets = pa.array(range(len(chunk) + 1), pa.int32())
        return pa.ListArray.from_arrays(offsets, chunk.cast(pa.string()))
    if is_list(chunk.type) and (is_text(chunk.type.value_type) or not len(chunk.flatten())):
        return chunk.cast(pa.list_(pa.string()))
    raise ShieldCLIPError(
        f"Expected captions as strings or lists of strings in {where}, got values of type "
        f"{chunk.type}; choose another column with --caption-column."
    )


def _check(chunk: pa.Array, first: int, where: str) -> None:
    counts = pc.fill_null(pc.list_value_length(chunk), 0)
    texts = pc.fill_null(pc.utf8_trim_whitespace(chunk.flatten()), "")
    blank = pc.list_parent_indices(chunk).filter(pc.equal(texts, ""))
    rows = [*pc.indices_nonzero(pc.equal(counts, 0)).to_pylist(), *blank.to_pylist()]
    if rows:
        raise ShieldCLIPError(
            f"Expected a caption in every row of {where}, but row {first + min(rows)} has an empty "
            "one; fill it in or remove the row."
        )
