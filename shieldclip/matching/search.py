"""Distances of pictures to their own captions, and to the nearest of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shieldclip.matching.centring import Middle, centre
from shieldclip.matching.features import ImageFeatures, TextFeatures
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport import nearest_captions, pair_distances

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
    pool: Iterable[tuple[Tensor, TextFeatures]],
    settings: MatchSettings,
    middle: Middle | None = None,
) -> Found:
    """Search chunk by chunk, so that only one chunk of the pool is in memory.

    Args:
        images: the pictures.
        pool: chunks of captions with their places ``[M]`` among the texts, rising; of equally
            near captions the first wins.
        settings: α, ε, candidates and backend.
        middle: of the data's pictures, where distances are centred.
    """
    count = len(images.whole)
    text = torch.full((count,), -1, dtype=torch.int64)
    distance = torch.full((count,), torch.inf)
    pairs = solved = 0
    for places, captions in pool:
        seen, read = (
            (images, captions) if middle is None else centre(images, captions, middle, settings)
        )
        found = nearest_captions(
            seen.patches,
            read.words,
            epsilon=settings.epsilon,
            images=seen.whole,
            texts=read.whole,
            global_weight=settings.alpha,
            candidates=settings.candidates,
            backend=settings.backend,
        )
        index, least = found.index.cpu(), found.distance.cpu()
        nearer = least < distance
        text = torch.where(nearer, places[index], text)
        distance = torch.where(nearer, least, distance)
        pairs, solved = pairs + found.stats.pairs, solved + found.stats.solved
    return Found(text, distance, pairs, solved)


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
    pool: Sequence[tuple[Tensor, TextFeatures]],
    settings: MatchSettings,
    middle: Middle | None = None,
) -> float:
    """Share of these pictures whose truly nearest caption is found among the candidates."""
    exact = find_nearest(images, pool, replace(settings, candidates=None), middle)
    found = find_nearest(images, pool, settings, middle)
    return float((exact.text == found.text).double().mean())
