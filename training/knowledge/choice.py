"""Which candidates become a concept's elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from knowledge.candidates import KINDS, Candidate

WANTED = 6
COMMON = 0.25
"""An element of more than this share of concepts says too little."""


def choose(offered: Mapping[str, Sequence[Candidate]]) -> dict[str, tuple[Candidate, ...]]:
    """Concept -> up to `WANTED` of its candidates.

    Elements that several concepts share come first, of each kind in turn: what the rules say
    before what WordNet says, and the rarest first, for it says the most. Those of one concept only
    teach its name once more; at most one fills a gap, and never a keyword.
    """
    counts = Counter(c.element for found in offered.values() for c in found)
    limit = max(1, int(COMMON * len(offered)))
    return {
        name: _one_concept([c for c in found if counts[c.element] <= limit], counts)
        for name, found in offered.items()
    }


def _one_concept(found: Sequence[Candidate], counts: Counter[str]) -> tuple[Candidate, ...]:
    ranked = sorted(found, key=lambda c: (c.source != "kinds", counts[c.element]))
    shared = [c for c in ranked if counts[c.element] > 1]
    single = [c for c in ranked if counts[c.element] == 1 and c.kind != "keyword"]
    return tuple((_in_turn(shared) + single[:1])[:WANTED])


def _in_turn(found: Sequence[Candidate]) -> list[Candidate]:
    """The first of each kind, then the second of each kind, and so on."""
    place: Counter[str] = Counter()
    order = []
    for candidate in found:
        order.append((place[candidate.kind], KINDS.index(candidate.kind), candidate))
        place[candidate.kind] += 1
    return [candidate for *_, candidate in sorted(order, key=lambda entry: entry[:2])]
