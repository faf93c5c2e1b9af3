"""From distances to decisions: the part of a matching that needs no model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from shieldclip.matching.detection import Detection, detect
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.risk import Split
from shieldclip.matching.settings import MatchSettings
from shieldclip.matching.suspects import find_suspects
from shieldclip.matching.table import POISONED, SCHEMA
from shieldclip.matching.words import AccusedWord

KEEP, RECAPTION, DROP = "keep", "recaption", "drop"
ROUNDING = 2e-5
"""Gaps as small as this are rounding of the distances, and count as 0."""
FITTING = 0.95
"""A new caption fits if it is no farther than this quantile of the trusted pairs' own captions."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Distances:
    """What the search found for N pairs; NaN where a picture could not be read."""

    own: Tensor
    """``[N]`` float32, infinite where the caption has no word."""
    best: Tensor
    """``[N]`` float32, of the nearest pool caption."""
    best_text: Tensor
    """``[N]`` int64, its place among the texts, -1 where there is none."""


@dataclass(frozen=True, eq=False)
class Matching:
    """A judged data set."""

    table: pa.Table
    """Columns as `table.SCHEMA`, one row a pair."""
    split: Split
    words: tuple[AccusedWord, ...]
    """Words whose captions do not fit, most of them."""
    detection: Detection | None
    """Where it is known which rows are poisoned."""


def judge(
    pairs: Pairs,
    distances: Distances,
    settings: MatchSettings,
    poisoned: Collection[int] | None = None,
) -> Matching:
    """Gap, risk and decision of every pair.

    The own caption is always among those to choose from: if it is as near as the best of the
    pool, it is the best, and the gap is 0.

    Args:
        pairs: N pairs.
        distances: their distances.
        settings: threshold, seed, and what to do with distrusted pairs.
        poisoned: rows known to be poisoned.

    Raises:
        ShieldCLIPError: ``poisoned`` is given, but no row or every row is.
    """
    own, best = distances.own.double().numpy(), distances.best.double().numpy()
    text = pairs.text.numpy()
    unread = np.isnan(own)
    stays = (own <= best + ROUNDING) | (distances.best_text.numpy() == text)
    best = np.where(stays, own, best)
    new = np.where(stays, text, distances.best_text.numpy())
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        gap = own - best
    gap = np.where(unread, np.nan, np.where(np.isinf(own), np.inf, gap))
    captions = [[pairs.texts[place]] for place in text]
    found = find_suspects(gap, captions, level=settings.threshold, seed=settings.seed)
    risk = found.risk
    can_change = (new != text) & ~found.accused(pairs.texts)[new]
    decision = decide(own, best, risk, can_change=can_change, settings=settings)
    table = _table(pairs, own, best, gap, risk, new, decision)
    if poisoned is None:
        return Matching(table, found.split, found.words, None)
    flags = np.isin(pairs.row.numpy(), list(poisoned))
    table = table.append_column(POISONED, pa.array(flags))
    scores = _order(risk[~unread], gap[~unread])
    detection = detect(scores, flags[~unread], seed=settings.seed)
    return Matching(table, found.split, found.words, detection)


def _order(risk: Floats, gap: Floats) -> Floats:
    """Places ``[N]`` of pairs by risk and, where that is equal, by gap."""
    _, places = np.unique(np.stack([risk, gap], 1), axis=0, return_inverse=True)
    return places.reshape(-1).astype(np.float64)


def decide(
    own: Floats,
    best: Floats,
    risk: Floats,
    *,
    can_change: NDArray[np.bool_],
    settings: MatchSettings,
) -> NDArray[np.str_]:
    """What to do with each of N pairs.

    ``keep`` below the threshold. Above it, ``recaption`` if the new caption fits the picture as
    well as captions of trusted pairs fit theirs (or, with ``keep_risky``, however it fits), else
    ``drop``: what no caption fits is worth nothing in training. A picture that cannot be read is
    dropped.

    Args:
        own: ``[N]`` distance to the own caption.
        best: ``[N]`` distance to the new one.
        risk: ``[N]``, NaN where the picture cannot be read.
        can_change: ``[N]``, whether the new caption is another one, and not accused.
        settings: threshold and ``keep_risky``.
    """
    keep = risk < settings.threshold
    fits = best <= (np.quantile(own[keep], FITTING) if keep.any() else -np.inf)
    change = can_change & np.isfinite(best) & (fits | settings.keep_risky) & ~np.isnan(risk)
    return np.where(keep, KEEP, np.where(change, RECAPTION, DROP))


def _table(
    pairs: Pairs,
    own: Floats,
    best: Floats,
    gap: Floats,
    risk: Floats,
    new: NDArray[np.int64],
    decision: NDArray[np.str_],
) -> pa.Table:
    """Columns as `SCHEMA`; what is unknown of pictures that cannot be read is null."""
    unread = np.isnan(own)
    columns = [
        pairs.row.numpy(),
        [pairs.texts[place] for place in pairs.text.tolist()],
        _nullable(own, unread),
        [None if gone else pairs.texts[place] for place, gone in zip(new, unread, strict=True)],
        _nullable(best, unread),
        _nullable(gap, unread),
        _nullable(risk, unread),
        decision,
    ]
    arrays = [pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def _nullable(values: Floats, unread: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=unread)
