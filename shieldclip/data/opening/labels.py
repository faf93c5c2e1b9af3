"""The column of labels, names or numbers, as class indices."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from shieldclip.data.opening.columns import is_text
from shieldclip.errors import ShieldCLIPError

_INTEGER = r"^(0|-?[1-9][0-9]{0,17})$"

Labels = tuple[pa.ChunkedArray, tuple[str, ...]]
"""Class index per row, int64, and the names of the classes."""


def numbers_if_all_are(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings that are all plain integers ("7", not "07") as integers."""
    if is_text(column.type) and pc.all(pc.match_substring_regex(column, _INTEGER)).as_py():
        return column.cast(pa.int64())
    return column


def check_filled(column: pa.ChunkedArray, where: str) -> None:
    """Every row has a label.

    Raises:
        ShieldCLIPError: one has none.
    """
    missing = pc.is_null(column)
    if is_text(column.type):
        missing = pc.or_(missing, pc.fill_null(pc.equal(column, ""), True))
    row = pc.index(missing, True).as_py()
    if row >= 0:
        raise ShieldCLIPError(
            f"Expected a label in every row of {where}, but row {row} has none; "
            "fill it in or remove the row."
        )


def from_numbers(column: pa.ChunkedArray, classes: Sequence[str], where: str) -> Labels:
    """Numbers are indices into ``classes``.

    Raises:
        ShieldCLIPError: a number is negative, or beyond the classes.
    """
    labels = column.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(labels, 0), pc.less(labels, len(classes)))
    row = pc.index(inside, False).as_py()
    if row < 0:
        return labels, tuple(classes)
    label = labels[row].as_py()
    if label < 0:
        remedy = "a split with hidden labels cannot be measured, choose another with --split"
    else:
        remedy = f"the class list needs at least {pc.max(labels).as_py() + 1} names"
    raise ShieldCLIPError(
        f"Expected labels from 0 to {len(classes) - 1} for {len(classes)} classes, but row {row} "
        f"of {where} has {label}; {remedy}."
    )


def from_names(
    column: pa.ChunkedArray, classes: Sequence[str] | None, by_folder: bool, where: str
) -> Labels:
    """Names are looked up in ``classes``, whatever their case and with ``_`` as a space.

    Without ``classes``, the names in code-point order are the classes. If ``by_folder`` and no
    name is among the classes, the n-th name in that order is the n-th class: so are folders of
    WordNet ids named.

    Raises:
        ShieldCLIPError: a name is not among the classes.
    """
    names = sorted(pc.unique(column).to_pylist())
    if classes is None:
        return _look_up(column, {name: index for index, name in enumerate(names)}), tuple(names)
    known = {_folded(name): index for index, name in reversed(list(enumerate(classes)))}
    unknown = [name for name in names if _folded(name) not in known]
    if by_folder and len(unknown) == len(names) == len(classes):
        return _look_up(column, {n: index for index, n in enumerate(names)}), tuple(classes)
    if unknown:
        row = pc.index(column, pa.scalar(unknown[0], column.type)).as_py()
        close = difflib.get_close_matches(_folded(unknown[0]), known, n=1)
        hint = f" (did you mean {classes[known[close[0]]]!r}?)" if close else ""
        raise ShieldCLIPError(
            f"Expected labels among the {len(classes)} classes, but row {row} of {where} has "
            f"{unknown[0]!r}{hint}; add it to the class list or correct the label."
        )
    return _look_up(column, {name: known[_folded(name)] for name in names}), tuple(classes)


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _look_up(column: pa.ChunkedArray, index: dict[str, int]) -> pa.ChunkedArray:
    names = pa.array(list(index), column.type)
    places = pc.index_in(column, value_set=names)
    return pc.take(pa.array(list(index.values()), pa.int64()), places)
