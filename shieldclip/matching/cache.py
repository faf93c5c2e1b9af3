"""Features of one model on one data set, on disk: each shard is made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from shieldclip.data.image_rows import ImageRows, Unreadable
from shieldclip.data.source import Source
from shieldclip.matching.centring import Middle
from shieldclip.matching.features import (
    ImageFeatures,
    TextFeatures,
    check_encoder,
    encode_images,
    encode_texts,
    join_images,
    join_texts,
    no_images,
    to_unit,
)
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.shards import Arrays, Worker, cut, half, load_shard, save_shard, wait_for
from shieldclip.progress import progress_bar
from shieldclip.transport import Bags
from shieldclip.types import Encoder

T = TypeVar("T")
_Advance = Callable[[int], None]
_Encode = Callable[[range, _Advance], Arrays]

FORMAT = 1
"""Raised whenever a change of the code changes what is stored; older files are then ignored."""
ROWS_PER_SHARD = 1024
"""Rows: 51 MB of patches from a ViT-B/32, 206 MB from a ViT-B/16."""
MIDDLE_SHARDS = 8
"""Shards of pictures, evenly spaced, whose mean stands for that of all."""
TEXTS_PER_SHARD = 32_768
"""Captions: 0.4 GB at 12 words of 512 numbers; a search holds one shard of them in float32."""


def digest(key: dict[str, object]) -> str:
    """Names a folder after what its content depends on."""
    text = json.dumps({"format": FORMAT, **key}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class FeatureCache:
    """Unit vectors in float16 under ``folder``, in a sub-folder per model and data.

    Args:
        folder: shared by all processes.
        encoder: the model.
        source: data with captions.
        pairs: of the data; only pictures of these are encoded.
        batch_size: pictures or texts encoded at once.
        precision: format the model computes in, as the user named it.

    Raises:
        ShieldCLIPError: a model without patch or token features.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        source: Source,
        pairs: Pairs,
        *,
        batch_size: int,
        precision: str,
        worker: Worker,
    ) -> None:
        self._rows = torch.unique(pairs.row)
        self.key: dict[str, object] = {
            "model": encoder.fingerprint,
            "preprocessing": encoder.preprocessing,
            "size": encoder.image_size,
            "device": encoder.device.partition(":")[0],
            "precision": precision,
            "data": source.fingerprint,
            "rows": hashlib.sha256(self._rows.numpy().tobytes()).hexdigest(),
            "shards": [ROWS_PER_SHARD, TEXTS_PER_SHARD],
        }
        check_encoder(encoder, pairs.texts[:batch_size])
        self.device = encoder.device
        self.image_shards = cut(len(self._rows), ROWS_PER_SHARD)
        self.text_shards = cut(len(pairs.texts), TEXTS_PER_SHARD)
        self._folder = folder / digest(self.key)
        self._encoder, self._source, self._pairs = encoder, source, pairs
        self._batch_size, self._worker = batch_size, worker
        self._unreadable = Unreadable(len(self._rows))

    def fill(self) -> None:
        """Make this process's shards where they are missing, and wait for everybody's texts.

        Raises:
            ShieldCLIPError: a feature that is not finite, or too many unreadable pictures.
        """
        self.check_readable(self._worker.own(len(self.image_shards)))
        self._make("pictures", self.image_shards, self._encode_images)
        self._make("captions", self.text_shards, self._encode_texts)
        wait_for([self._path("captions", i) for i in range(len(self.text_shards))], "captions")

    def check_readable(self, shards: Iterable[int]) -> None:
        """Count the pictures that stored shards leave out; decoding says again what is wrong.

        Raises:
            ShieldCLIPError: with others that this process knows of, these are too many.
        """
        for shard in shards:
            arrays = load_shard(self._path("pictures", shard))
            if arrays is None:
                continue
            left_out = set(self._rows_of(self.image_shards[shard])) - set(arrays["rows"].tolist())
            for _ in self._pictures(sorted(left_out - self._unreadable.rows)):
                pass

    def images(self, shard: int) -> tuple[Tensor, ImageFeatures]:
        """Rows ``[n]`` int64 of the readable pictures of a shard, and their features."""
        arrays = self._read("pictures", shard)
        features = ImageFeatures(self._unit(arrays["patches"]), self._unit(arrays["whole"]))
        return arrays["rows"], features

    def middle(self) -> Middle:
        """Of the pictures, from a few shards all over the data."""
        count = len(self.image_shards)
        chosen = sorted({place * count // MIDDLE_SHARDS for place in range(MIDDLE_SHARDS)})
        wait_for([self._path("pictures", shard) for shard in chosen], "pictures")
        return Middle.of(self.images(shard)[1] for shard in chosen)

    def texts(self, texts: Tensor) -> TextFeatures:
        """Features of the texts ``[M]`` (places in `Pairs.texts`), in this order."""
        wanted, places = torch.unique(texts, return_inverse=True)
        parts = [features for _, features in self.text_chunks(wanted)]
        return join_texts(parts).take(places)

    def text_chunks(self, texts: Tensor) -> TextChunks:
        """The texts ``[M]``, rising, as they lie in shards: their places and features."""
        return TextChunks(self, texts)

    def texts_of_shard(self, shard: int, texts: Tensor) -> TextFeatures:
        """Features of texts ``[M]`` that lie in one shard."""
        arrays = self._read("captions", shard)
        stored = TextFeatures(Bags(arrays["words"], arrays["offsets"]), arrays["whole"])
        some = stored.take(texts - self.text_shards[shard].start)
        words = Bags(self._unit(some.words.features), some.words.offsets)
        return TextFeatures(words, self._unit(some.whole))

    def _unit(self, features: Tensor) -> Tensor:
        return to_unit(features, self.device)

    def _path(self, kind: str, shard: int) -> Path:
        return self._folder / f"{kind}-{shard:05d}.safetensors"

    def _make(self, kind: str, shards: list[range], encode: _Encode) -> None:
        own = self._worker.own(len(shards))
        missing = [i for i in own if not self._path(kind, i).exists()]
        with progress_bar(f"encoding {kind}", sum(len(shards[i]) for i in own)) as advance:
            advance(sum(len(shards[i]) for i in own if i not in missing))
            for i in missing:
                save_shard(self._path(kind, i), encode(shards[i], advance))

    def _read(self, kind: str, shard: int) -> Arrays:
        path = self._path(kind, shard)
        arrays = load_shard(path)
        if arrays is None:  # damaged
            bounds, encode = {
                "pictures": (self.image_shards, self._encode_images),
                "captions": (self.text_shards, self._encode_texts),
            }[kind]
            arrays = encode(bounds[shard], lambda _: None)
            save_shard(path, arrays)
        return arrays

    def _encode_images(self, bounds: range, advance: _Advance) -> Arrays:
        rows, parts = list[int](), []
        pictures = self._pictures(self._rows_of(bounds))
        for batch in _batches(pictures, self._batch_size):
            of_batch = [row for row, _ in batch]
            pixels = torch.stack([picture for _, picture in batch])
            parts.append(encode_images(self._encoder, pixels, of_batch))
            rows += of_batch
            advance(len(batch))
        advance(len(pictures.skipped))
        features = join_images(parts or [no_images(self._encoder)])
        return {
            "rows": torch.tensor(rows, dtype=torch.int64),
            "patches": half(features.patches),
            "whole": half(features.whole),
        }

    def _rows_of(self, bounds: range) -> list[int]:
        rows: list[int] = self._rows[bounds.start : bounds.stop].tolist()
        return rows

    def _pictures(self, rows: Sequence[int]) -> ImageRows[Tensor]:
        return ImageRows(
            self._source.rows,
            self._encoder.preprocess,
            chosen=rows,
            unreadable=self._unreadable,
        )

    def _encode_texts(self, bounds: range, advance: _Advance) -> Arrays:
        parts = []
        for start in range(bounds.start, bounds.stop, self._batch_size):
            texts = self._pairs.texts[start : min(start + self._batch_size, bounds.stop)]
            parts.append(encode_texts(self._encoder, texts))
            advance(len(texts))
        features = join_texts(parts)
        return {
            "words": half(features.words.features),
            "offsets": features.words.offsets,
            "whole": half(features.whole),
        }


@dataclass(frozen=True, eq=False)
class TextChunks:
    """Texts shard by shard, one of them in memory; they can be walked over again."""

    cache: FeatureCache
    texts: Tensor

    def __iter__(self) -> Iterator[tuple[Tensor, TextFeatures]]:
        for shard, bounds in enumerate(self.cache.text_shards):
            chosen = self.texts[(self.texts >= bounds.start) & (self.texts < bounds.stop)]
            if len(chosen):
                yield chosen, self.cache.texts_of_shard(shard, chosen)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    walk = iter(things)
    while batch := list(islice(walk, size)):
        yield batch
