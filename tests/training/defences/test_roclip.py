"""RoCLIP: when images meet captions of the bank, and which."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peer_parts import array, embeds, info_nce, nearest, seen

from shieldclip.training.defences import Moment, make_defence

PAIRS = 4


def stream(count: int):
    """Batches of images and texts."""
    return [(embeds(PAIRS, 2 * n), embeds(PAIRS, 2 * n + 1)) for n in range(count)]


def losses(defence, batches, epoch: int):
    batch = {"row": torch.arange(PAIRS)}
    return [
        defence.losses(seen(images, texts), batch, Moment(0, epoch, 0.0)).total()
        for images, texts in batches
    ]


def roclip(**settings):
    return make_defence({"name": "roclip", "bank": 2 * PAIRS, **settings})


def test_matched_images_meet_their_nearest_of_the_two_batches_before():
    batches = stream(4)
    got = losses(roclip(), batches, epoch=1)
    for n, (images, texts) in enumerate(batches):
        partners = array(texts)
        if n >= 2:  # the bank is full
            bank = np.concatenate([array(batches[m][1]) for m in (n - 2, n - 1)])
            partners = nearest(array(images), bank)
        expected = info_nce(array(images), partners).mean()
        assert got[n].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "matching"),
    [({}, {1, 3, 5}), ({"first_match": 0, "match_every": 3}, {0, 3}), ({"first_match": 9}, set())],
)
def test_epochs_between_are_clips_own_but_fill_the_bank(settings, matching):
    *before, (images, texts) = stream(3)
    own = info_nce(array(images), array(texts)).mean()
    found = set()
    for epoch in range(6):
        defence = roclip(**settings)
        losses(defence, before, epoch)
        assert defence.captions.full
        loss = losses(defence, [(images, texts)], epoch)[0].item()
        found |= {epoch} if loss != pytest.approx(own, rel=1e-6) else set()
    assert found == matching


def test_where_images_are_matched_captions_learn_nothing_from_them():
    batches = stream(3)
    losses(roclip(), batches, epoch=1)[-1].backward()
    images, texts = batches[-1]
    assert images.grad.abs().max() > 0
    assert texts.grad.abs().max() == 0


def test_its_state_survives_a_round_trip():
    *before, last = stream(3)
    first, second = roclip(), roclip()
    losses(first, before, 1)
    second.load_state_dict(first.state_dict())
    assert torch.equal(*(losses(defence, [last], 1)[0] for defence in (first, second)))
