"""Which pairs get another caption: matching by optimal transport, once an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.matching import MatchSettings, Suspects, TextFeatures, find_suspects
from shieldclip.matching.centring import Middle
from shieldclip.matching.features import join_texts
from shieldclip.matching.mixture import Floats
from shieldclip.matching.search import find_nearest, own_distances
from shieldclip.matching.shards import cut
from shieldclip.training.defences.base import EpochPlan, PairsView
from shieldclip.training.defences.recurrence import recurs
from shieldclip.training.defences.standing_out import StandingOut
from shieldclip.training.defences.states import join_states, state_of

_BLOCK = 1024
"""Pictures whose patches are in memory at once."""
_LEVEL = 0.5
"""Risk from which a pair is a suspect."""


@dataclass(frozen=True)
class MatchingRule:
    """When pairs are matched, against what, and which of them are changed.

    Attributes:
        first: first matching epoch, counted from 0; before it every pair keeps its caption.
        every: epochs from one matching epoch to the next; between them plans stay.
        pool: captions in the FIFO pool.
        risk: pairs with at least this posterior are trained with the nearest caption instead.
        remember: see `StandingOut`.
        search: how distances are taken.
    """

    first: int
    every: int
    pool: int
    risk: float
    remember: float
    search: MatchSettings


class Matching:
    """Plans epochs by a rule; remembers the pool, and which pairs stood out."""

    def __init__(self, rule: MatchingRule) -> None:
        """An empty pool."""
        self.rule = rule
        self._pool = torch.zeros(0, dtype=torch.int64)
        self._standing_out = StandingOut(rule.remember)

    def remember(self, rows: Tensor) -> None:
        """Push captions of some pairs into the pool: ``[N]`` rows; the oldest drop out."""
        self._pool = torch.cat([self._pool, rows.cpu()])[-self.rule.pool :]

    def plan(self, epoch: int, pairs: PairsView) -> EpochPlan | None:
        """Match, or keep the plan of the last matching epoch."""
        return self._match(pairs) if recurs(epoch, self.rule.first, self.rule.every) else None

    def _match(self, pairs: PairsView) -> EpochPlan:
        captions = pairs.captions
        texts = self._pooled_texts(captions)
        pool = pairs.read_texts(texts)
        middle = self._middle(pairs)
        blocks = [
            self._match_block(pairs, pool, texts, middle, rows)
            for rows in cut(len(captions), _BLOCK)
        ]
        gaps, nearest, pictures = (torch.cat(column) for column in zip(*blocks, strict=True))
        every = [text for own in captions for text in own]
        gaps, nearest = self._standing_out.update(gaps, _numbers(texts, every)[nearest])
        wide = gap_of_picture(gaps, pictures).numpy()
        new = [every[number] if number >= 0 else None for number in nearest.tolist()]
        return self._repair(wide, find_suspects(wide, captions, level=_LEVEL), new)

    def _repair(self, gaps: Floats, found: Suspects, new: Sequence[str | None]) -> EpochPlan:
        """Suspects get new captions; those for whom there is none to believe are left out."""
        lost = _lost(found, new)
        changed = {
            row: text
            for row, text in enumerate(new)
            if text is not None and found.risk[row] >= self.rule.risk and row not in lost
        }
        return EpochPlan(
            rows=[row for row in range(len(new)) if row not in lost] if lost else None,
            captions=changed,
            risk=dict(enumerate(found.risk.tolist())),
            gaps=dict(enumerate(gaps.tolist())),
            figures={"separation": found.split.separation, "words": float(len(found.words))},
        )

    def _middle(self, pairs: PairsView) -> Middle | None:
        """Of pictures all over the data, where distances are centred."""
        if not self.rule.search.centring:
            return None
        count = len(pairs.captions)
        return Middle.of([pairs.see_images(range(0, count, -(-count // _BLOCK))).features])

    def _match_block(
        self,
        pairs: PairsView,
        pool: TextFeatures,
        texts: Sequence[str],
        middle: Middle | None,
        rows: range,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Each row's gap ``[n]`` (of its best own caption), the nearest text, and the picture."""
        seen = pairs.see_images(rows)
        settings = self.rule.search
        found = find_nearest(seen.features, [(torch.arange(len(texts)), pool)], settings, middle)
        place = torch.tensor([n for n, row in enumerate(rows) for _ in pairs.captions[row]])
        own = _own_features(pairs, pool, texts, rows)
        distances = own_distances(seen.features, place, own, settings, middle)
        nearest_own = torch.full((len(rows),), torch.inf)
        nearest_own = nearest_own.scatter_reduce(0, place, distances, "amin")
        gaps = (nearest_own - found.distance).clamp_min(0)
        # Pairs that cannot be read are not trained on: nothing is to be found out about them.
        return gaps.where(seen.readable, 0.0), found.text, seen.pictures

    def _pooled_texts(self, captions: Sequence[Sequence[str]]) -> list[str]:
        """Unique captions of the pool, filled up in the order of the pairs while it is short."""
        rows = self._pool.tolist()
        rows += range(max(min(self.rule.pool, len(captions)) - len(rows), 0))
        return list(dict.fromkeys(text for row in rows for text in captions[row]))

    def state_dict(self) -> dict[str, Tensor]:
        """The pool and what stood out; the plan itself is kept by the engine."""
        return {"pool": self._pool, **join_states(pairs=self._standing_out.state_dict())}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._pool = state["pool"].clone()
        self._standing_out.load_state_dict(state_of("pairs", state))


def _lost(found: Suspects, new: Sequence[str | None]) -> set[int]:
    """Rows of suspects that have no new caption, or an accused one."""
    suspects = (found.risk >= _LEVEL).nonzero()[0].tolist()
    accused = found.accused([new[row] or "" for row in suspects])
    return {row for row, lie in zip(suspects, accused, strict=True) if lie or new[row] is None}


def _numbers(texts: Sequence[str], every: Sequence[str]) -> Tensor:
    """Places of some captions among all ``[T + 1]``; the last is -1, for no caption."""
    place: dict[str, int] = {}
    for number, text in enumerate(every):
        place.setdefault(text, number)
    return torch.tensor([*(place[text] for text in texts), -1])


def _own_features(
    pairs: PairsView, pool: TextFeatures, texts: Sequence[str], rows: range
) -> TextFeatures:
    """Of the rows' own captions, one after the other; what the pool holds is not read again."""
    own = [text for row in rows for text in pairs.captions[row]]
    place = {text: n for n, text in enumerate(texts)}
    missing = [text for text in dict.fromkeys(own) if text not in place]
    place |= {text: len(texts) + n for n, text in enumerate(missing)}
    known = join_texts([pool, pairs.read_texts(missing)]) if missing else pool
    return known.take(torch.tensor([place[text] for text in own]))


def gap_of_picture(gaps: Tensor, pictures: Tensor) -> Tensor:
    """A pair's own gap, or the mean gap of all pairs with its picture if that is larger.

    Many captions that say the same wrong thing of one picture (targeted poisoning) are one case:
    a few of them always happen to fit, and one that is believed teaches the others.

    Args:
        gaps: ``[N]``.
        pictures: ``[N]`` int64, equal for equal pictures.
    """
    place, counts = torch.unique(pictures, return_inverse=True, return_counts=True)[1:]
    means = torch.zeros(len(counts)).index_add_(0, place, gaps) / counts
    return torch.maximum(gaps, means[place])
