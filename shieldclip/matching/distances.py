"""Distances of a whole data set on disk, one shard of pictures after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from shieldclip.matching.cache import FeatureCache, digest
from shieldclip.matching.centring import Middle
from shieldclip.matching.judge import Distances
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.search import find_nearest, own_distances
from shieldclip.matching.settings import MatchSettings
from shieldclip.matching.shards import Arrays, Worker, load_shard, save_shard, wait_for
from shieldclip.progress import progress_bar

SEARCH = 2
"""Raised whenever a change of the code changes distances; features stay usable."""


@dataclass(frozen=True)
class Work:
    """What all searches took."""

    pairs: int
    """Distances asked for."""
    solved: int
    """Transport problems solved for them."""
    seconds: float
    """Summed over processes."""


class DistanceCache:
    """Distances under ``folder``, in a sub-folder per features and settings."""

    def __init__(
        self,
        folder: Path,
        features: FeatureCache,
        pairs: Pairs,
        settings: MatchSettings,
        worker: Worker,
    ) -> None:
        key = {**features.key, **settings.search_key, "search": SEARCH}
        self._folder = folder / digest(key)
        self._features, self._pairs, self._settings = features, pairs, settings
        self._pool = pairs.pool(settings.pool, settings.seed)
        self._worker = worker
        self._paths = [
            self._folder / f"{shard:05d}.safetensors" for shard in range(len(features.image_shards))
        ]

    @cached_property
    def middle(self) -> Middle | None:
        """Of the pictures, where distances are centred."""
        return self._features.middle() if self._settings.centring else None

    def fill(self) -> None:
        """Make this process's shards where they are missing."""
        shards = self._features.image_shards
        own = self._worker.own(len(shards))
        missing = [i for i in own if not self._paths[i].exists()]
        with progress_bar("matching pictures", sum(len(shards[i]) for i in own)) as advance:
            advance(sum(len(shards[i]) for i in own if i not in missing))
            for i in missing:
                save_shard(self._paths[i], self._match(i))
                advance(len(shards[i]))

    def gather(self) -> tuple[Distances, Work]:
        """Wait for all shards and put them together."""
        wait_for(self._paths, "matches")
        count = len(self._pairs)
        own, best = torch.full((count,), torch.nan), torch.full((count,), torch.nan)
        text = torch.full((count,), -1, dtype=torch.int64)
        pairs = solved = 0
        seconds = 0.0
        for shard in range(len(self._paths)):
            arrays = self._read(shard)
            rows = arrays["pair"]
            own[rows], best[rows], text[rows] = arrays["own"], arrays["best"], arrays["text"]
            pairs, solved = pairs + int(arrays["pairs"]), solved + int(arrays["solved"])
            seconds += float(arrays["seconds"])
        return Distances(own, best, text), Work(pairs, solved, seconds)

    def _read(self, shard: int) -> Arrays:
        arrays = load_shard(self._paths[shard])
        if arrays is None:  # damaged
            arrays = self._match(shard)
            save_shard(self._paths[shard], arrays)
        return arrays

    def _match(self, shard: int) -> Arrays:
        start = time.perf_counter()
        rows, images = self._features.images(shard)
        if not len(rows):
            return _NOTHING
        chunks = self._features.text_chunks(self._pool)
        found = find_nearest(images, chunks, self._settings, self.middle)
        pair, place = _pairs_of(self._pairs.row, rows)
        captions = self._features.texts(self._pairs.text[pair])
        return {
            "pair": pair,
            "own": own_distances(images, place, captions, self._settings, self.middle),
            "best": found.distance[place],
            "text": found.text[place],
            "pairs": torch.tensor(found.pairs),
            "solved": torch.tensor(found.solved),
            "seconds": torch.tensor(time.perf_counter() - start),
        }


_NOTHING: Arrays = {
    **{name: torch.empty(0, dtype=torch.int64) for name in ("pair", "text")},
    **{name: torch.empty(0) for name in ("own", "best")},
    **{name: torch.tensor(0) for name in ("pairs", "solved", "seconds")},
}
"""Of a shard without a picture that can be read."""


def _pairs_of(row: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The pairs of these rows ``[n]``, rising, and the place of each one's row among them."""
    place = torch.searchsorted(rows, row).clamp(max=len(rows) - 1)
    pair = (rows[place] == row).nonzero().squeeze(1)
    return pair, place[pair]
