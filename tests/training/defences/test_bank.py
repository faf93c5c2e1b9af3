"""Banks of embeddings."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peer_parts import array, embeds, nearest

from shieldclip.training.defences.bank import Bank


@given(size=st.integers(1, 9), pushes=st.lists(st.integers(0, 12), max_size=6))
def test_the_oldest_make_room(size, pushes):
    bank, stream = Bank(size), torch.arange(float(sum(pushes)))[:, None]
    for chunk in stream.split(pushes):
        bank.push(chunk)
    kept = bank.state_dict()["rows"]
    assert kept.flatten().tolist() == stream[-size:].flatten().tolist()
    assert bank.full == (sum(pushes) >= size)


def test_nearest_is_that_of_largest_cosine_and_has_no_gradient():
    bank, rows, queries = Bank(20), embeds(20, 0), embeds(5, 1)
    bank.push(rows)
    found = bank.nearest(queries)
    assert array(found).tolist() == nearest(array(queries), array(rows)).tolist()
    assert not found.requires_grad


@pytest.mark.parametrize("pushed", [0, 3])
def test_a_restored_bank_goes_on_as_the_one_before(pushed):
    first, second = Bank(4), Bank(4)
    first.push(embeds(pushed, 0))
    second.load_state_dict(first.state_dict())
    for bank in (first, second):
        bank.push(embeds(2, 1))
    assert torch.equal(first.state_dict()["rows"], second.state_dict()["rows"])


def test_half_precision_is_widened():
    bank = Bank(2)
    bank.push(embeds(2, 0).half())
    assert bank.state_dict()["rows"].dtype == torch.float32
    assert bank.nearest(embeds(1, 1).half()).shape == (1, 6)
