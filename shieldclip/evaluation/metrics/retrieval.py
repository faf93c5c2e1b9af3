"""Retrieval: ranks of what should (or, under attack, should not) be found.

- The **rank** of a query is the 1-based place of its best-ranked relevant item in the gallery,
  ordered by cosine similarity; equal similarities are ranked by gallery index, lowest first.
- **R@k**, **Hit@k**: share of queries of rank <= k. It is called recall when the relevant items
  are the query's own partners, and hit when they are an attacker's target items.
- **MinRank**: mean over queries of the rank of the best-ranked target item; **median rank**: its
  median.

Under a random order of a gallery of G items with m relevant ones, the best rank R has
``P(R > k) = C(G-k, m) / C(G, m)``, hence Hit@k ``= 1 - P(R > k)``, mean ``(G+1) / (m+1)`` and, as
median, the smallest k with ``P(R > k) <= 1/2``.
"""

from __future__ import annotations

from bisect import bisect_left
from math import exp, lgamma

import torch
from torch import Tensor

_BLOCK = 1 << 24  # similarities held at a time: 64 MiB of float32


def best_ranks(
    queries: Tensor, gallery: Tensor, query_groups: Tensor, gallery_groups: Tensor
) -> Tensor:
    """Rank of the best relevant item of each query; an item is relevant if its group is equal.

    Similarities are made block by block, so memory grows with N + G, not with N x G.

    Args:
        queries: ``[N, D]`` embeddings.
        gallery: ``[G, D]`` embeddings.
        query_groups: ``[N]`` int.
        gallery_groups: ``[G]`` int; every query's group must occur.

    Returns:
        ``[N]`` int64 on the CPU, from 1 to G.
    """
    step = max(1, _BLOCK // len(gallery))
    gallery_groups = gallery_groups.to(gallery.device)
    blocks = zip(torch.split(queries, step), torch.split(query_groups, step), strict=True)
    return torch.cat(
        [
            _ranks(block @ gallery.T, groups.to(gallery.device)[:, None] == gallery_groups).cpu()
            for block, groups in blocks
        ]
    )


def _ranks(similarities: Tensor, relevant: Tensor) -> Tensor:
    """[B, G] similarities and relevance -> [B] rank of the best relevant item."""
    best = similarities.masked_fill(~relevant, -torch.inf).amax(dim=1, keepdim=True)
    places = torch.arange(similarities.shape[1], device=similarities.device)
    equal = similarities == best
    first = torch.where(equal & relevant, places, len(places)).amin(dim=1, keepdim=True)
    return 1 + ((similarities > best) | (equal & (places < first))).sum(dim=1)


def hit_random(gallery: int, relevant: int, k: int) -> float:
    """Hit@k of a random order of ``gallery`` items, ``relevant`` of which count."""
    return 1 - _miss(gallery, relevant, k)


def min_rank_random(gallery: int, relevant: int) -> float:
    """Mean best rank under a random order."""
    return (gallery + 1) / (relevant + 1)


def median_rank_random(gallery: int, relevant: int) -> float:
    """Median best rank under a random order."""
    places = range(1, gallery - relevant + 2)
    # 1e-12: lgamma must not turn a probability of exactly 1/2 into slightly more.
    found = bisect_left(places, True, key=lambda k: _miss(gallery, relevant, k) <= 0.5 + 1e-12)
    return float(places[found])


def _miss(gallery: int, relevant: int, k: int) -> float:
    """P(R > k) = C(G-k, m) / C(G, m)."""
    if k > gallery - relevant:
        return 0.0
    return exp(_log_choose(gallery - k, relevant) - _log_choose(gallery, relevant))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
