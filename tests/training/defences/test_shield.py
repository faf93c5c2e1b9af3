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
    return int(defence.semantic.trust.judge(pairs, pairs, pairs[:, None], RANKS).sum())


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


def test_an_early_plan_leaves_out_what_is_said_often_and_repairs_nobody():
    pairs, early = KnownPairs(), shield()
    plan = early.plan(0, pairs)
    assert plan is not None
    early.repair_from = plan.figures["separation"] + 1
    often = min(plan.captions)
    pairs.meanings = torch.arange(1, 161)
    pairs.meanings[[often, 100, 101]] = 999
    timid = early.plan(1, pairs)
    assert set(range(160)) - set(timid.rows) == {often}
    assert not timid.captions
    assert timid.figures["spared"] == len(plan.captions) - 1
    early.repair_from = plan.figures["separation"] - 1
    assert set(early.plan(2, pairs).captions) == set(plan.captions)


def test_whom_an_early_plan_leaves_out_is_spared_too(monkeypatch):
    pairs, early = KnownPairs(), shield()
    plan = EpochPlan(rows=[0, 1, 4], captions={1: "a"}, figures={"separation": 3.0})
    early.repair_from = 4.0
    monkeypatch.setattr(OTCCLIP, "plan", lambda *_: plan)
    pairs.meanings = torch.tensor([1, 2, 3, 9, 9, 9])
    timid = early.plan(0, pairs)
    assert timid.rows == [0, 1, 2, 4]
    assert timid.captions == {}
    assert timid.figures["spared"] == 2
    pairs.meanings = torch.arange(1, 7)
    assert early.plan(0, pairs).rows is None


def test_leaving_out_relieves_the_judge_as_repairing_does(monkeypatch):
    pairs, early = KnownPairs(), shield()
    plan = EpochPlan(captions={5: "a"}, figures={"separation": 3.0})
    early.repair_from = 4.0
    monkeypatch.setattr(OTCCLIP, "plan", lambda *_: plan)
    pairs.meanings = torch.tensor([1, 2, 3, 9, 9, 9])
    early.plan(0, pairs)
    assert believed(early, 0) == 9
