"""A recipe's data -> rows of pictures and captions, poisoned if it says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets

from shieldclip.attacks.manifest import Manifest
from shieldclip.attacks.poisons import make_poison, read_recipe
from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.data import Source, open_source
from shieldclip.data.parts import Part
from shieldclip.errors import ShieldCLIPError
from shieldclip.training.recipe.schema import DataSpec, SourceSpec


@dataclass(frozen=True)
class OpenedPairs:
    """Training pairs on disk."""

    rows: datasets.Dataset
    """Columns ``image`` and ``captions``."""
    manifest: Manifest | None = None
    """Where it is known which rows are poisoned."""
    poison: Poison | None = None
    """Where they were poisoned here."""

    @property
    def captions(self) -> list[list[str]]:
        """Captions of every row."""
        return list(self.rows["captions"])


def open_pairs(spec: DataSpec, image_size: int) -> OpenedPairs:
    """Open every source, poison the whole, and leave out the part that is not to be seen.

    Args:
        spec: what to open.
        image_size: side of poisoned pictures, unless the poison recipe gives another.

    Raises:
        ShieldCLIPError: a source without captions, or anything wrong with a source, a poison or a
            part.
    """
    opened = _open_all(spec, image_size)
    return opened if spec.leave_out is None else _select(opened, kept_rows(spec, opened.rows))


def planned_captions(spec: DataSpec, image_size: int) -> list[list[str]]:
    """Captions of what `open_pairs` opens, without writing poisoned pictures.

    These decide by their bytes which of them ``data.leave_out`` leaves; here the clean ones do.
    """
    if spec.poison is None:
        return open_pairs(spec, image_size).captions
    rows = open_clean_pairs(spec)
    clean = Pairs.of(rows, ())
    plan = _make_poison(spec.poison, image_size).plan(clean)
    kept = kept_rows(spec, rows.select(plan.order))
    changed = {row: change.captions for row, change in plan.changes.items()}
    return [list(changed.get(row, clean.captions[plan.order[row]])) for row in kept]


def kept_rows(spec: DataSpec, rows: datasets.Dataset) -> list[int]:
    """Numbers of the rows that ``data.leave_out`` leaves."""
    every = range(len(rows))
    if spec.leave_out is None:
        return list(every)
    left_out = set(Part.read(spec.leave_out).of_rows(rows).tolist())
    return [row for row in every if row not in left_out]


def _open_all(spec: DataSpec, image_size: int) -> OpenedPairs:
    rows = open_clean_pairs(spec)
    if spec.poison is not None:
        poison = _make_poison(spec.poison, image_size)
        poisoned, manifest = poison(rows)
        return OpenedPairs(poisoned, manifest, poison)
    return OpenedPairs(rows, Manifest.load(Path(spec.manifest)) if spec.manifest else None)


def _select(opened: OpenedPairs, kept: list[int]) -> OpenedPairs:
    manifest = opened.manifest and opened.manifest.select(kept)
    return replace(opened, rows=opened.rows.select(kept), manifest=manifest)


def open_clean_pairs(spec: DataSpec) -> datasets.Dataset:
    """Rows ``image`` and ``captions`` of every source, as often as each is repeated."""
    return datasets.concatenate_datasets(
        [part for source in spec.sources for part in [_rows(source)] * source.repeat]
    )


def _make_poison(recipe: str | dict[str, Any], image_size: int) -> Poison:
    settings = read_recipe(Path(recipe)) if isinstance(recipe, str) else recipe
    return make_poison({"image_size": image_size, **settings})


def _rows(spec: SourceSpec) -> datasets.Dataset:
    opened = open_training_source(spec)
    if "captions" not in opened.rows.column_names:
        raise ShieldCLIPError(
            f"Expected captions in {spec.source}, got none; name their column with caption_column."
        )
    return opened.rows.select_columns(["image", "captions"])


def open_training_source(spec: SourceSpec) -> Source:
    """Open one source; one that has no splits at all is taken whole."""
    columns = {"image_column": spec.image_column, "caption_column": spec.caption_column}
    given = {name: value for name, value in columns.items() if value is not None}
    try:
        return open_source(spec.source, split=spec.split, **given)
    except ShieldCLIPError:
        if spec.split != "train":
            raise
        whole = open_source(spec.source, **given)
        if whole.split != "all":
            raise
        return whole
