"""Which column holds pictures, labels and captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import datasets
import pyarrow as pa

from shieldclip.data.opening.raw import Raw
from shieldclip.errors import ShieldCLIPError

_PICTURES = ("image", "img", "jpg", "jpeg", "png", "webp", "picture")
_PATHS = ("file_name", "filename", "filepath", "file_path", "image_path", "path")
USUAL = {
    "image": (*_PICTURES, *_PATHS),
    "label": ("label", "labels", "cls", "class", "fine_label", "category", "target"),
    "caption": ("caption", "captions", "text", "sentence", "sentences", "txt", "title"),
}
"""Names looked for when none is given, in this order and whatever their case."""


@dataclass(frozen=True)
class Columns:
    """Names of columns; ``None``: not known, or not there."""

    image: str | None = None
    label: str | None = None
    caption: str | None = None


def choose(raw: Raw, wanted: Columns) -> Columns:
    """The columns to use: those wanted, else those of usual names and fitting types.

    Raises:
        ShieldCLIPError: a wanted column is missing, or there are no pictures, or neither labels
            nor captions.
    """
    for role, name in (
        ("image", wanted.image),
        ("label", wanted.label),
        ("caption", wanted.caption),
    ):
        if name is not None and name not in raw.table.column_names:
            raise _missing(raw, f"a column {name!r}", role)
    chosen = Columns(
        image=wanted.image or next(_images(raw), None),
        label=wanted.label or next(_labels(raw), None),
        caption=wanted.caption or next(_usual(raw, "caption", _holds_captions), None),
    )
    if chosen.image is None:
        raise _missing(raw, "a column of pictures", "image")
    if chosen.label is None and chosen.caption is None:
        raise _missing(raw, "a column of labels or of captions", "label-column or --caption")
    return chosen


def _images(raw: Raw) -> Iterator[str]:
    pictures = [n for n, feature in raw.features.items() if isinstance(feature, datasets.Image)]
    yield from (name for name in _usual(raw, "image", lambda _: True) if name in pictures)
    yield from pictures
    yield from _usual(raw, "image", _holds_pictures)


def _labels(raw: Raw) -> Iterator[str]:
    yield from _usual(raw, "label", _holds_labels)
    named = [n for n, feature in raw.features.items() if isinstance(feature, datasets.ClassLabel)]
    if len(named) == 1:
        yield named[0]


def _usual(raw: Raw, role: str, fits: Callable[[pa.DataType], bool]) -> Iterator[str]:
    by_case = {name.casefold(): name for name in reversed(raw.table.column_names)}
    for usual in USUAL[role]:
        name = by_case.get(usual)
        if name is not None and fits(raw.table.schema.field(name).type):
            yield name


def is_text(kind: pa.DataType) -> bool:
    """Strings, of either offset width."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_list(kind: pa.DataType) -> bool:
    """Lists, of either offset width."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Byte strings, of either offset width."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_pictures(kind: pa.DataType) -> bool:
    is_cell = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    return bool(is_cell or is_text(kind) or is_bytes(kind))


def _holds_labels(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or is_text(kind))


def _holds_captions(kind: pa.DataType) -> bool:
    return is_text(kind) or (is_list(kind) and is_text(kind.value_type))


def _missing(raw: Raw, what: str, role: str) -> ShieldCLIPError:
    left_out = f" (of mixed types: {', '.join(raw.unusable)})" if raw.unusable else ""
    return ShieldCLIPError(
        f"Expected {what} in {raw.path}, which has the columns "
        f"{', '.join(raw.table.column_names)}{left_out}; choose with --{role}-column."
    )
