"""Pairs read from shards while training, for data larger than memory."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from datasets.distributed import split_dataset_by_node
from torch import Tensor

from shieldclip.data.decode import BadImage, decode
from shieldclip.data.image_rows import MAX_BAD_SHARE
from shieldclip.data.opening.columns import USUAL
from shieldclip.data.opening.loading import readable
from shieldclip.data.opening.shards import SHARDS
from shieldclip.errors import ShieldCLIPError
from shieldclip.training.pairs.augmentation import visit_ids
from shieldclip.training.pairs.batches import Preparation
from shieldclip.training.pairs.drawing import draw_captions
from shieldclip.training.pairs.pixels import to_square
from shieldclip.training.recipe.schema import DataSpec, SourceSpec

_JUDGED_FROM = 100  # rows, before a share of bad ones means anything


def open_stream(spec: DataSpec, seed: int, rank: int, world: int) -> datasets.IterableDataset:
    """This process's rows ``image`` (undecoded) and ``captions``, shuffled within a buffer.

    Shards are shared out over processes, and by each process over its workers.

    Raises:
        ShieldCLIPError: not shards, or no columns of pictures and captions.
    """
    streams = [_open(source) for source in spec.sources for _ in range(source.repeat)]
    stream = streams[0] if len(streams) == 1 else datasets.interleave_datasets(
        streams, stopping_strategy="all_exhausted"
    )  # fmt: skip
    shuffled = stream.shuffle(seed=seed, buffer_size=spec.shuffle_buffer)
    return split_dataset_by_node(shuffled, rank=rank, world_size=world)


def _open(spec: SourceSpec) -> datasets.IterableDataset:
    with readable(f"shards in {spec.source}", "parquet and .tar shards can be streamed"):
        stream = _load(spec)
    columns = stream.column_names or []
    image = _column(spec.image_column, "image", columns, spec.source)
    caption = _column(spec.caption_column, "caption", columns, spec.source)
    # Before anything else, which would decode pictures on its way.
    stream = stream.cast_column(image, datasets.Image(decode=False))
    stream = stream.select_columns([image, caption])
    names = {image: "image", caption: "captions"}
    renamed = {old: new for old, new in names.items() if old != new}
    return stream.rename_columns(renamed) if renamed else stream


def _load(spec: SourceSpec) -> Any:
    files = [Path(name) for name in sorted(glob.glob(spec.source, recursive=True))]  # noqa: PTH207 - also whole paths
    if len(files) == 1 and files[0].is_dir():
        return datasets.load_dataset(str(files[0].resolve()), split=spec.split, streaming=True)
    if not files:
        return datasets.load_dataset(spec.source, split=spec.split, streaming=True)
    kind = SHARDS.get(files[0].suffix.lower())
    if kind is None:
        raise ShieldCLIPError(
            f"Expected {' or '.join(SHARDS)} files to stream, got {spec.source}; "
            "set data.streaming to false."
        )
    paths = [glob.escape(str(file.resolve())) for file in files]
    return datasets.load_dataset(kind, data_files={"train": paths}, split="train", streaming=True)


def _column(wanted: str | None, role: str, columns: Sequence[str], source: str) -> str:
    by_case = {name.casefold(): name for name in reversed(columns)}
    found = wanted if wanted in columns else None
    if wanted is None:
        found = next((by_case[name] for name in USUAL[role] if name in by_case), None)
    if found is None:
        raise ShieldCLIPError(
            f"Expected a column of {role}s in {source}, which has {', '.join(columns)}; "
            f"name it with {role}_column."
        )
    return found


def said(captions: str | Sequence[str | None] | None) -> list[str]:
    """One or several captions of a row, or none, as a list without blank ones."""
    several = [captions] if isinstance(captions, str) else captions or []
    return [text for text in several if text and text.strip()]


@dataclass
class PairStream(torch.utils.data.IterableDataset[dict[str, Tensor]]):
    """Whole batches, without end.

    ``row`` is a hash of picture and captions: it is the same whoever reads the pair, and so is
    the pair's augmentation.
    """

    rows: datasets.IterableDataset
    share: int
    """Pairs per batch on this process."""
    size: int
    """Side of a picture, in pixels."""
    preparation: Preparation
    _seen: int = field(default=0, init=False)
    _bad: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Batches of this worker."""
        kept: list[tuple[int, Any, Sequence[str]]] = []
        bad_before = epoch = 0
        while True:
            self.rows.set_epoch(epoch)
            for row in self.rows:
                pair = self._pair(row)
                if pair is None:
                    continue
                kept.append(pair)
                if len(kept) == self.share:
                    yield self._batch(kept, epoch, self._bad - bad_before)
                    kept, bad_before = [], self._bad
            if self._seen == self._bad:
                raise ShieldCLIPError("Expected pairs to stream, got none that can be read.")
            epoch += 1

    def _pair(self, row: Mapping[str, Any]) -> tuple[int, Any, Sequence[str]] | None:
        """Key, pixels and captions; none if the picture is bad or there is no caption."""
        self._seen += 1
        captions = said(row["captions"])
        try:
            if captions:
                pixels = to_square(decode(row["image"] or {}, "a streamed row"), self.size)
                return _key(row["image"], captions), pixels, captions
            reason = "it has no caption"
        except BadImage as bad:
            reason = bad.reason
        self._bad += 1
        if self._seen >= _JUDGED_FROM and self._bad > MAX_BAD_SHARE * self._seen:
            raise ShieldCLIPError(
                f"Expected readable pairs, got {self._bad} bad ones among {self._seen}; "
                f"the last: {reason}. Mend or remove them."
            )
        return None

    def _batch(
        self, pairs: Sequence[tuple[int, Any, Sequence[str]]], epoch: int, bad: int
    ) -> dict[str, Tensor]:
        rows = torch.tensor([key for key, _, _ in pairs])
        visits = visit_ids(rows, epoch)
        captions = draw_captions([own for _, _, own in pairs], visits, self.preparation.seed)
        pixels = torch.from_numpy(np.stack([pixels for _, pixels, _ in pairs]))
        batch = self.preparation.batch(pixels, captions, visits)
        return batch | {"row": rows, "bad": torch.tensor(bad)}


def _key(image: Mapping[str, Any], captions: Sequence[str]) -> int:
    """A 63-bit hash of a pair."""
    digest = hashlib.blake2b(image["bytes"] or str(image["path"]).encode(), digest_size=8)
    for caption in captions:
        digest.update(caption.encode())
    return int.from_bytes(digest.digest(), "big") >> 1
