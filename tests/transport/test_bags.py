from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport import Bags

SIZES = st.lists(st.integers(0, 4), max_size=6)


def bags_of(sizes: list[int]) -> Bags:
    offsets = torch.tensor([0, *sizes]).cumsum(0)
    return Bags(torch.arange(2.0 * sum(sizes)).view(-1, 2), offsets)


@given(SIZES)
def test_padding_and_packing_are_inverse(sizes):
    bags = bags_of(sizes)
    features, mask = bags.pad()
    assert mask.sum(1).tolist() == sizes
    packed = Bags.pack(features, mask)
    assert torch.equal(packed.features, bags.features)
    assert torch.equal(packed.offsets, bags.offsets)


@given(SIZES.filter(bool), st.data())
def test_selection_is_that_of_a_list(sizes, data):
    bags = bags_of(sizes)
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8))
    chosen = bags.select(torch.tensor(rows, dtype=torch.int64))
    parts = torch.split(bags.features, sizes)
    expected = torch.cat([bags.features[:0], *(parts[row] for row in rows)])
    assert chosen.sizes.tolist() == [sizes[row] for row in rows]
    assert torch.equal(chosen.features, expected)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [([0, 1], "from 0 to the 2"), ([1, 2], "from 0 to the 2"), ([0, 2, 1, 2], "after set 1")],
)
def test_offsets_must_cover_the_features(offsets, message):
    with pytest.raises(ShieldCLIPError, match=message):
        Bags(torch.zeros(2, 3), torch.tensor(offsets))


def test_packing_wants_a_mask_of_the_same_sets():
    with pytest.raises(ShieldCLIPError, match=r"\[N, L\]"):
        Bags.pack(torch.zeros(2, 3, 4), torch.ones(2, 4, dtype=torch.bool))
