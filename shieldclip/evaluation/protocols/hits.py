"""Shared by the attacks on retrieval: how high do target items rank, and how high by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.metrics.intervals import (
    Estimate,
    bootstrap_mean,
    bootstrap_median,
    wilson,
)
from shieldclip.evaluation.metrics.retrieval import (
    best_ranks,
    hit_random,
    median_rank_random,
    min_rank_random,
)
from shieldclip.evaluation.protocols.base import Rows
from shieldclip.evaluation.report import Measurement
from shieldclip.evaluation.store import Arrays

LEVELS = (1, 5, 10)


def target_ranks(queries: Tensor, gallery: Tensor, relevant: Tensor) -> Arrays:
    """Rank of the best target item for each query.

    Args:
        queries: ``[N, D]`` embeddings.
        gallery: ``[G, D]`` embeddings.
        relevant: ``[G]`` bool: the target items.

    Returns:
        ``ranks`` [N], and ``sizes`` [2]: items of the gallery, and target items.

    Raises:
        ShieldCLIPError: no query or no target item is left.
    """
    if not len(queries) or not relevant.any():
        raise ShieldCLIPError(
            f"Expected queries and target items for retrieval, got {len(queries)} and "
            f"{int(relevant.sum())} among the readable pictures; choose another target."
        )
    groups = torch.zeros(len(queries), dtype=torch.int64)
    ranks = best_ranks(queries, gallery, groups, (~relevant).long())
    return {"ranks": ranks, "sizes": torch.tensor([len(relevant), int(relevant.sum())])}


@dataclass(frozen=True)
class Controls:
    """The same queries without trigger, and with an untrained one."""

    clean: Arrays
    trigger: Arrays


def hit_rows(
    rows: Rows, cell: Arrays, controls: Controls | None, seed: int
) -> Iterator[Measurement]:
    """Hit@k, MinRank and median rank with their random levels.

    Args:
        rows: who is measured under which attack.
        cell: `target_ranks` under the attack.
        controls: ``None`` when the attack has no trigger.
        seed: of the bootstrap.
    """
    ranks, n = cell["ranks"], len(cell["ranks"])
    gallery, relevant = cell["sizes"].tolist()
    for k in LEVELS:
        yield rows.row(f"hit@{k}", _hits(cell, k))
        if controls is not None:
            yield rows.row(f"hit@{k}_control", _hits(controls.clean, k))
            yield rows.row(f"hit@{k}_control_trigger", _hits(controls.trigger, k))
        yield rows.row(f"hit@{k}_random", Estimate.exact(hit_random(gallery, relevant, k), n))
    yield rows.row("min_rank", bootstrap_mean(ranks.numpy(), seed))
    yield rows.row("min_rank_random", Estimate.exact(min_rank_random(gallery, relevant), n))
    yield rows.row("median_rank", bootstrap_median(ranks.numpy(), seed))
    yield rows.row("median_rank_random", Estimate.exact(median_rank_random(gallery, relevant), n))


def _hits(cell: Arrays, k: int) -> Estimate:
    return wilson(int((cell["ranks"] <= k).sum()), len(cell["ranks"]))
