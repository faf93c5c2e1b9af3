"""Both methods together: what plans change for the judge of steps."""

from __future__ import annotations

import torch
from known_pairs import KnownPairs

from shieldclip.training.defences.base import EpochPlan
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


def test_an_early_plan_changes_only_what_is_said_often():
    pairs, sparing = KnownPairs(), shield()
    plan = sparing.plan(0, pairs)
    assert plan is not None
    sparing.spare_below = plan.figures["separation"] + 1
    often = min(plan.captions)
    pairs.meanings = torch.arange(1, 161)
    pairs.meanings[[often, 100, 101]] = 999
    spared = sparing.plan(1, pairs)
    assert set(spared.captions) == {often}
    assert spared.figures["spared"] == len(plan.captions) - 1
    sparing.spare_below = plan.figures["separation"] - 1
    assert set(sparing.plan(2, pairs).captions) == set(plan.captions)


def test_what_an_early_plan_leaves_out_is_spared_too(monkeypatch):
    pairs, sparing = KnownPairs(), shield()
    plan = EpochPlan(rows=[0, 1, 4], captions={1: "a"}, figures={"separation": 3.0})
    sparing.spare_below = 4.0
    monkeypatch.setattr(OTCCLIP, "plan", lambda *_: plan)
    pairs.meanings = torch.tensor([1, 2, 3, 9, 9, 9])
    spared = sparing.plan(0, pairs)
    assert spared.rows == [0, 1, 2, 4]
    assert spared.captions == {}
