"""Both methods together: what plans change for the judge of steps."""

from __future__ import annotations

import torch
from known_pairs import KnownPairs

from shieldclip.training.defences.otcclip import OTCCLIP
from shieldclip.training.defences.shield import Shield

RANKS = torch.linspace(0.4, 1, 10)
"""Of pairs that no judge can tell apart yet."""


def shield(remember: float = 1.0) -> Shield:
    transport = OTCCLIP(candidates=8, pool=1000, remember=remember)
    return Shield(transport=transport, planned_share=0.1)


def believed(defence: Shield, first: int) -> int:
    """How many of ten new pairs with bad ranks are."""
    pairs = torch.arange(first, first + 10)
    return int(defence.semantic.trust.judge(pairs, pairs, pairs, RANKS).sum())


def test_once_a_plan_repairs_pairs_fewer_are_set_aside():
    defence = shield()
    assert believed(defence, 0) == 6
    assert defence.plan(0, KnownPairs()).captions
    assert believed(defence, 10) == 9


def test_a_plan_that_finds_nobody_relieves_nobody():
    defence, pairs = shield(), KnownPairs()
    pairs.captions = [[f"concept {concept}"] for concept in pairs.concept.tolist()]
    assert not defence.plan(0, pairs).captions
    assert believed(defence, 0) == 6


def test_a_later_plan_that_finds_nobody_has_all_set_aside_again():
    defence, pairs = shield(remember=0.0), KnownPairs()
    defence.plan(0, pairs)
    pairs.captions = [[f"concept {concept}"] for concept in pairs.concept.tolist()]
    defence.plan(1, pairs)
    assert believed(defence, 0) == 6
