"""Optimal transport between patches and words: solvers, costs, nearest-caption search."""

from shieldclip.transport.bags import Bags
from shieldclip.transport.cost import cosine_cost, transport_cost
from shieldclip.transport.nearest import (
    approximate_recall,
    nearest_captions,
    pair_distances,
)
from shieldclip.transport.pairwise import hardest_captions, pairwise_cost
from shieldclip.transport.results import Nearest, SearchStats
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.sinkhorn import Solution, solve

__all__ = [
    "Bags",
    "GlobalFeatures",
    "Nearest",
    "SearchSettings",
    "SearchStats",
    "Solution",
    "approximate_recall",
    "cosine_cost",
    "hardest_captions",
    "nearest_captions",
    "pair_distances",
    "pairwise_cost",
    "solve",
    "transport_cost",
]
