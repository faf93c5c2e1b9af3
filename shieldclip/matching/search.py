"""Distances of pictures to their own captions, and to the nearest of a pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shieldclip.matching.centring import Middle, centre
from shieldclip.matching.chunks import Chunk, Pool, best_by_cosine, chunks_of
from shieldclip.matching.features import ImageFeatures, TextFeatures
from shieldclip.matching.leaders import Leaders
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport import Nearest, nearest_captions, pair_distances

PAIRS_AT_ONCE = 1024
"""Pairs whose patches are gathered at once."""


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest pool caption of I pictures."""

    text: Tensor
    """``[I]`` int64: its place among the texts, -1 where no caption has a word."""
    distance: Tensor
    """``[I]`` float32, infinite where there is none."""
    pairs: int
    """Distances asked for."""
    solved: int
    """Transport problems solved for them; bounds excluded the others."""


def find_nearest(
    images: ImageFeatures,
    pool: Pool,
    settings: MatchSettings,
    middle: Middle | None = None,
) -> Found:
    """Search chunk by chunk, so that only one chunk of the pool is in memory.

    How the pool is cut changes nothing: of equally near captions the first wins, and candidates
    are those of highest cosine of the whole pool.

    Args:
        images: the pictures.
        pool: chunks of captions.
        settings: α, ε, candidates and backend.
        middle: of the data's pictures, where distances are centred.
    """
    pictures, chosen = len(images.whole), None
    if settings.candidates is not None:
        chunks = chunks_of(images, pool, settings, middle)
        chosen = best_by_cosine(chunks, pictures, settings.candidates)
    leaders = Leaders(pictures, settings)
    pairs = solved = 0
    for whole in chunks_of(images, pool, settings, middle):
        chunk = whole if chosen is None else whole.among(chosen)
        if chunk is not None:
            found = _nearest_of(chunk, settings)
            leaders.challenge(chunk, found)
            pairs, solved = pairs + found.stats.pairs, solved + found.stats.solved
    return Found(leaders.text, leaders.distance, pairs, solved)


def _nearest_of(chunk: Chunk, settings: MatchSettings) -> Nearest:
    return nearest_captions(
        chunk.images.patches,
        chunk.captions.words,
        epsilon=settings.epsilon,
        images=chunk.images.whole,
        texts=chunk.captions.whole,
        global_weight=settings.alpha,
        candidates=chunk.candidates,
        backend=settings.backend,
    )


def own_distances(
    images: ImageFeatures,
    place: Tensor,
    captions: TextFeatures,
    settings: MatchSettings,
    middle: Middle | None = None,
) -> Tensor:
    """``[N]`` float32: distance of picture ``place[n]`` to caption n.

    Args:
        images: I pictures.
        place: ``[N]`` int64, in [0, I).
        captions: N captions.
        settings: α, ε and backend.
        middle: of the data's pictures, where distances are centred.
    """
    if middle is not None:
        images, captions = centre(images, captions, middle, settings)
    parts = []
    for pairs in torch.split(torch.arange(len(place)), PAIRS_AT_ONCE):
        some, texts = images.take(place[pairs]), captions.take(pairs)
        parts.append(
            pair_distances(
                some.patches,
                texts.words,
                epsilon=settings.epsilon,
                images=some.whole,
                texts=texts.whole,
                global_weight=settings.alpha,
                backend=settings.backend,
            ).cpu()
        )
    return torch.cat(parts) if parts else torch.empty(0)


def approximate_recall(
    images: ImageFeatures,
    pool: Pool,
    settings: MatchSettings,
    middle: Middle | None = None,
) -> float:
    """Share of these pictures whose truly nearest caption is found among the candidates."""
    exact = find_nearest(images, pool, replace(settings, candidates=None), middle)
    found = find_nearest(images, pool, settings, middle)
    return float((exact.text == found.text).double().mean())
