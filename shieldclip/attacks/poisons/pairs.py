"""What a poison may look at: captions and classes, not pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import datasets

from shieldclip.attacks.poisons.naming import first_named, names
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True)
class Pairs:
    """The text side of a data set of N rows."""

    captions: Sequence[Sequence[str]]
    """Captions per row."""
    labels: Sequence[int]
    """Index into ``classes`` per row, or empty."""
    classes: tuple[str, ...]
    taken: frozenset[int] = frozenset()
    """Rows that belong to another poison already."""

    @classmethod
    def of(cls, rows: datasets.Dataset, classes: Sequence[str]) -> Pairs:
        """Read the columns.

        Raises:
            ShieldCLIPError: no image or caption column.
        """
        for column in ("image", "captions"):
            if column not in rows.column_names:
                raise ShieldCLIPError(
                    f"Expected a column {column!r} to poison, got {', '.join(rows.column_names)}; "
                    "name the columns of images and captions in the source."
                )
        labels = list(rows["label"]) if classes and "label" in rows.column_names else []
        return cls(list(rows["captions"]), labels, tuple(classes))

    def __len__(self) -> int:
        return len(self.captions)

    @property
    def free(self) -> list[int]:
        """Rows that may be poisoned."""
        return [row for row in range(len(self)) if row not in self.taken]

    def shows(self, row: int, name: str) -> bool:
        """Whether the row belongs to a class, by its label or by any of its captions."""
        return (bool(self.labels) and self.classes[self.labels[row]] == name) or any(
            names(caption, name) for caption in self.captions[row]
        )

    def class_of(self, row: int) -> str | None:
        """The row's class, by its label, else the first of the classes that a caption names."""
        if self.labels:
            return self.classes[self.labels[row]]
        found = (first_named(caption, self.classes) for caption in self.captions[row])
        return next((name for name in found if name), None)

    def captions_naming(self, name: str) -> list[str]:
        """All different captions that name a class, in row order.

        Raises:
            ShieldCLIPError: there is none.
        """
        different = dict.fromkeys(text for texts in self.captions for text in texts)
        found = [text for text in different if names(text, name)]
        if not found:
            raise ShieldCLIPError(
                f"Expected captions that name {name!r}, got none in {len(self)} rows; "
                "choose a class that the captions name."
            )
        return found
