"""What a source string opens into: rows, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import datasets


@dataclass(frozen=True)
class Source:
    """A data set and the meaning of its columns.

    ``rows`` has an ``image`` column (``datasets.Image(decode=False)``: dicts with ``bytes`` and
    ``path``) and, depending on the data, ``label`` (int into ``classes``) and ``captions``
    (list of str, one or more per image).
    """

    rows: datasets.Dataset
    name: str
    """Short name for tables, e.g. ``icons-100``."""
    source: str
    """The string the user gave."""
    split: str
    path: str
    """The file or folder read, or the Hub id."""
    fingerprint: str
    """`fingerprint_rows`: SHA-256 over image bytes, class names and captions in row order."""
    classes: tuple[str, ...] = ()
    templates: tuple[str, ...] = ("a photo of a {}.",)

    @property
    def labels(self) -> Sequence[int]:
        """Class index per row; empty when the data has no labels."""
        return list(self.rows["label"]) if "label" in self.rows.column_names else []

    @property
    def captions(self) -> Sequence[Sequence[str]]:
        """Captions per row; empty when the data has none."""
        return list(self.rows["captions"]) if "captions" in self.rows.column_names else []

    def with_templates(self, templates: tuple[str, ...] | None) -> Source:
        """The same data asked about with other prompts; ``None`` keeps them."""
        return self if templates is None else replace(self, templates=templates)
