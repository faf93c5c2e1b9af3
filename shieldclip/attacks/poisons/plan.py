"""What a poison is going to do, before any pixel is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One poisoned row: its new captions, and the class it is meant to be taken for."""

    captions: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Plan:
    """Rows of the poisoned data set.

    Attributes:
        order: source row of every row; a row may occur several times.
        changes: the poisoned rows, by their index in ``order``.
    """

    order: tuple[int, ...]
    changes: Mapping[int, Change]
