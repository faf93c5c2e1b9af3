"""Attention over patches, the trigger's mask, and how much of one falls on the other."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPModel

from shieldclip.attacks.triggers import TRIGGERS, make_trigger
from shieldclip.explanation import attention_maps
from shieldclip.explanation.attention import mass_on, trigger_mask


def test_attention_is_that_of_transformers_last_layer(subject, tiny_clip_folder):
    eager = CLIPModel.from_pretrained(tiny_clip_folder, attn_implementation="eager").eval()
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        layers = eager.vision_model(pixels, output_attentions=True).attentions
    expected = layers[-1][:, :, 0, 1:].mean(dim=1)
    expected = expected / expected.sum(dim=-1, keepdim=True)
    torch.testing.assert_close(attention_maps(subject.model, pixels), expected)


@pytest.mark.parametrize(
    ("name", "side"), [("badnet", 16), ("badnet-noise", 16), ("badnet-white", 24)]
)
def test_a_patch_covers_its_square_whatever_lies_under_it(name, side):
    mask = trigger_mask(make_trigger(name), 224, 0)
    rows, columns = torch.nonzero(mask, as_tuple=True)
    assert int(mask.sum()) == side * side
    assert int(rows.max() - rows.min()) == int(columns.max() - columns.min()) == side - 1


def test_a_random_place_is_that_of_the_sample():
    trigger = make_trigger("badnet", placement="random")
    masks = [trigger_mask(trigger, 224, sample) for sample in (3, 4)]
    assert not torch.equal(*masks)
    blank = torch.full((1, 3, 224, 224), 0.5)
    stamped = trigger(blank, torch.tensor([4])) != blank
    assert torch.equal(stamped.any(dim=1)[0], masks[1])


SPREAD = ("blended-noise", "sig", "wanet", "bpp", "filter-nashville")


@pytest.mark.parametrize("name", SPREAD)
def test_a_trigger_without_a_place_has_no_mask(name):
    assert name in TRIGGERS
    assert trigger_mask(make_trigger(name), 64, 0) is None


@settings(deadline=None, max_examples=30)
@given(side=st.sampled_from([2, 4, 7]), seed=st.integers(0, 1000), share=st.floats(0.05, 0.95))
def test_mass_is_attention_summed_pixel_by_pixel(side, seed, share):
    generator = torch.Generator().manual_seed(seed)
    attention = torch.rand(side * side, generator=generator)
    attention /= attention.sum()
    mask = torch.rand(28, 28, generator=generator) < share
    patch = 28 // side
    per_pixel = attention.view(side, side).repeat_interleave(patch, 0).repeat_interleave(patch, 1)
    expected = (per_pixel / patch**2)[mask].sum()
    torch.testing.assert_close(mass_on(attention, mask), expected, atol=1e-6, rtol=1e-5)


def test_even_attention_gives_the_share_of_area():
    mask = torch.zeros(32, 32, dtype=torch.bool)
    mask[20:, 27:] = True
    even = torch.full((16,), 1 / 16)
    torch.testing.assert_close(mass_on(even, mask), mask.float().mean())
