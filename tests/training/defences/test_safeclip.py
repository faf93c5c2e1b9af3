"""SafeCLIP: which pairs an epoch believes, and what the others are taught."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peer_parts import array, embeds, info_nce, nearest, seen

from shieldclip.training.defences import Moment, make_defence, safeclip

PAIRS = 6
SAFE = torch.tensor([1.0, 0, 1, 1, 0, 0])
AGAIN = torch.tensor([1, 4, 5])


def defence(**settings):
    return make_defence({"name": "safeclip", "bank": 2 * len(AGAIN), **settings})


def losses(own, images, texts, safe=SAFE, again=AGAIN):
    batch = {"row": torch.arange(PAIRS), "pair_weight": safe, "again": again}
    return own.losses(seen(images, texts), batch, Moment(0, 0, 0.0))


def stream(count: int, again: int = len(AGAIN)):
    return [(embeds(PAIRS + again, 2 * n), embeds(PAIRS + again, 2 * n + 1)) for n in range(count)]


def alone(views, bank):
    """Sum over pairs of the contrast of each view with the other's neighbour."""
    first, second = views[AGAIN], views[PAIRS:]
    near = (lambda rows: nearest(rows, bank)) if bank is not None else (lambda rows: rows)
    return (info_nce(near(first), second) + info_nce(near(second), first)).sum() / 2


def test_safe_pairs_meet_each_other_and_the_rest_meet_neighbours_of_themselves():
    own, batches = defence(), stream(4)
    for n, both in enumerate(batches):
        terms = losses(own, *both).terms
        images, texts = map(array, both)
        safe = [0, 2, 3]
        believed = info_nce(images[safe], texts[safe]).sum() / PAIRS
        assert terms["contrastive"].item() == pytest.approx(believed, rel=1e-6)
        for name, side in (("images", 0), ("texts", 1)):
            bank = None
            if n >= 2:  # full of first views of the two batches before
                bank = np.concatenate([array(batches[m][side])[AGAIN] for m in (n - 2, n - 1)])
            expected = alone((images, texts)[side], bank) / (2 * PAIRS)
            assert terms[name].item() == pytest.approx(expected, rel=1e-6)


def test_a_pair_that_is_not_safe_never_ties_its_picture_to_its_caption():
    (images, texts), = stream(1)  # fmt: skip
    terms = losses(defence(), images, texts).terms
    gradient = torch.autograd.grad(terms["contrastive"], [images, texts])
    for side in gradient:
        assert side[AGAIN].abs().max() == 0
        assert side[PAIRS:].abs().max() == 0
        assert side[:PAIRS][SAFE > 0].abs().amax(dim=1).min() > 0


@pytest.mark.parametrize("safe", [0.0, 1.0])
def test_all_or_none_may_be_safe(safe):
    everyone = torch.arange(PAIRS) if safe == 0 else torch.arange(0)
    (images, texts), = stream(1, len(everyone))  # fmt: skip
    terms = losses(defence(), images, texts, torch.full((PAIRS,), safe), everyone).terms
    nothing = {"contrastive"} if safe == 0 else {"images", "texts"}
    assert {name for name, term in terms.items() if term == 0} == nothing
    sum(terms.values()).backward()
    assert images.grad.isfinite().all()


def test_epochs_pass_from_no_captions_to_slow_ones_to_a_growing_safe_set(monkeypatch):
    fits = torch.linspace(0, 1, 100) ** 8  # a broad upper group
    monkeypatch.setattr(safeclip, "own_similarity", lambda _: fits)
    pairs = type("Pairs", (), {"captions": [["a caption"]] * 100})()
    own = defence(unimodal_epochs=2, clip_epochs=1, clip_rate=0.1, growth=0.1)
    plans = [own.plan(epoch, pairs) for epoch in range(6)]
    risky = [{row for row, weight in plan.weights.items() if weight == 0} for plan in plans]
    assert [plan.seen_twice for plan in plans] == [frozenset(rows) for rows in risky]
    assert risky[0] == risky[1] == set(range(100))
    assert risky[2] == set()
    first = 100 - len(risky[3])
    assert 0 < first < 60
    assert [100 - len(rows) for rows in risky[4:]] == [first + 10, first + 20]
    assert risky[3] == set(range(100 - first))
    assert not plans[2].risk
    assert sorted(plans[3].risk, key=plans[3].risk.__getitem__) == list(reversed(range(100)))
    assert [own.learning_rate(epoch) for epoch in range(5)] == [1, 1, 0.1, 1, 1]


def test_its_state_survives_a_round_trip(monkeypatch):
    monkeypatch.setattr(safeclip, "own_similarity", lambda _: torch.linspace(0, 1, 50) ** 8)
    first, second = (defence(unimodal_epochs=0, clip_epochs=0) for _ in range(2))
    *before, last = stream(3)
    first.plan(0, None)
    for both in before:
        losses(first, *both)
    second.load_state_dict(first.state_dict())
    assert first.plan(1, None) == second.plan(1, None)
    one, two = (losses(own, *last).terms for own in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)
