"""Equal pictures have equal numbers, others do not."""

from __future__ import annotations

import pytest
import torch

from shieldclip.training.pairs.picture_ids import picture_ids


@pytest.mark.parametrize("side", [1, 5, 8, 64])
def test_equal_pictures_and_no_others_share_a_number(side):
    generator = torch.Generator().manual_seed(side)
    pixels = torch.randint(256, (40, 3, side, side), generator=generator, dtype=torch.uint8)
    ids = picture_ids(torch.cat([pixels, pixels]))
    assert torch.equal(ids[:40], ids[40:])
    assert len(ids.unique()) == len(pixels.unique(dim=0))
    assert (ids >= 0).all()


def test_one_changed_bit_changes_the_number():
    pixels = torch.zeros(1, 3, 8, 8, dtype=torch.uint8).repeat(192, 1, 1, 1)
    pixels.view(192, 192).fill_diagonal_(1)
    assert len(picture_ids(pixels).unique()) == 192


def test_a_number_does_not_depend_on_the_batch():
    pixels = torch.arange(4 * 48, dtype=torch.uint8).view(4, 3, 4, 4)
    assert torch.equal(picture_ids(pixels)[2:], picture_ids(pixels[2:]))
