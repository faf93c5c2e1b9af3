"""Outside values -> a frozen dataclass, or one line that says what is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from shieldclip.errors import ShieldCLIPError
from shieldclip.strict import complaint

T = TypeVar("T")


def build(kind: type[T], values: Mapping[str, object], name: str) -> T:
    """Construct the dataclass ``kind`` from checked values; ``name`` is what the user calls it.

    Raises:
        ShieldCLIPError: an unknown key (with the nearest known one), or a value that does not
            fit the field's type or bounds.
    """
    # The cast tells the type checker what TypeAdapter checks anyway: kind is a dataclass.
    known = [field.name for field in fields(cast("type[Any]", kind)) if field.init]
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ShieldCLIPError(
                f"Unknown key {key!r} of {name!r}.{hint} Known: {', '.join(known)}."
            )
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        raise ShieldCLIPError(f"{name!r}: {complaint(error)}.") from error
