"""Global features where none are given, and what they say first."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, normalize

from shieldclip.transport.bags import Bags
from shieldclip.transport.search_settings import GlobalFeatures

ENTRIES_AT_ONCE = 1 << 20
"""Cosines held at a time while the best are sought: 4 MB."""


def pooled(patches: Tensor, captions: Bags) -> GlobalFeatures:
    """Mean patch ``[I, D]`` and mean word ``[N, D]``, of unit length; zero for empty captions."""
    words = torch.arange(len(captions.features), device=captions.features.device)
    starts = captions.offsets[:-1].to(words.device)
    means = embedding_bag(words, captions.features, starts, mode="mean")
    return GlobalFeatures(normalize(patches.mean(dim=1), dim=1), normalize(means, dim=1))


def top_captions(given: GlobalFeatures, captions: Bags, count: int) -> tuple[Tensor, Tensor]:
    """The captions with words of highest cosine, best first, on the CPU.

    Returns:
        cosines ``[I, count]`` and captions ``[I, count]`` int64; fewer columns where fewer captions
        have words.
    """
    texts = given.texts.to(given.images)
    empty = (captions.sizes == 0).to(texts.device)
    count = min(count, len(empty) - int(empty.sum()))
    best = [(texts.new_zeros(0, count).cpu(), torch.zeros(0, count, dtype=torch.int64))]
    for images in torch.split(given.images, max(1, ENTRIES_AT_ONCE // max(1, len(texts)))):
        cosines = (images @ texts.T).masked_fill_(empty, -torch.inf)
        found = cosines.topk(count, dim=1)
        best.append((found.values.cpu(), found.indices.cpu()))
    values, places = (torch.cat(column) for column in zip(*best, strict=True))
    return values, places
