"""What feeds a run: batches of this process, and what can be said of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader

from shieldclip.training.pairs.batches import PairDataset, Preparation, as_made
from shieldclip.training.pairs.opening import OpenedPairs
from shieldclip.training.pairs.pixels import open_pixels
from shieldclip.training.pairs.streaming import PairStream, open_stream, said
from shieldclip.training.pairs.visits import EpochBatches
from shieldclip.training.recipe.schema import Recipe


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True)
class Feed:
    """Batches, without a beginning or an end of their own."""

    loader: DataLoader[Any]
    pairs: int | None
    """That an epoch visits, if that is known."""
    batches: EpochBatches | None = None
    """Of the loader; none when streaming."""
    poisoned: Tensor | None = None
    """``[N]`` bool, where it is known."""
    skipped: int = 0
    """Pairs left out from the start, whose pictures cannot be read."""


def feed_from_memory(
    recipe: Recipe, opened: OpenedPairs, preparation: Preparation, size: int, place: Place
) -> Feed:
    """Pairs that are all known in advance."""
    pixels = open_pixels(opened.rows, size, recipe.data.cache_gb)
    batches = EpochBatches(
        pixels.readable, recipe.optimiser.batch_size, recipe.seed, place.rank, place.world
    )
    loader = DataLoader(
        PairDataset(pixels, opened.captions, preparation),
        batch_sampler=batches,
        collate_fn=as_made,
        num_workers=recipe.data.workers,
    )
    if pixels.skipped and place.rank == 0:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
            f"Left out {len(pixels.skipped)} of {len(opened.rows)} pairs, whose pictures cannot be "
            f"read; the first is {pixels.skipped[0]}."
        )
    return Feed(loader, len(pixels.readable), batches, _poisoned(opened), len(pixels.skipped))


def feed_from_stream(recipe: Recipe, preparation: Preparation, size: int, place: Place) -> Feed:
    """Pairs that come from shards."""
    rows = open_stream(recipe.data, recipe.seed, place.rank, place.world)
    share = recipe.optimiser.batch_size // place.world
    loader = DataLoader(
        PairStream(rows, share, size, preparation),
        batch_size=None,
        # A worker without a shard would have nothing to read.
        num_workers=min(recipe.data.workers, rows.num_shards),
    )
    return Feed(loader, recipe.data.pairs)


def stream_captions(recipe: Recipe, most: int = 100_000) -> list[list[str]]:
    """The first captions of a stream, to train a tokenizer on."""
    rows = open_stream(recipe.data, recipe.seed, 0, 1).select_columns("captions").take(most)
    return [said(row["captions"]) for row in rows]


def _poisoned(opened: OpenedPairs) -> Tensor | None:
    if opened.manifest is None:
        return None
    poisoned = torch.zeros(len(opened.rows), dtype=torch.bool)
    poisoned[list(opened.manifest.rows)] = True
    return poisoned
