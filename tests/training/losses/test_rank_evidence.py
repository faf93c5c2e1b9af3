"""Evidence as ranks, against plain NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.losses import CaptionElements
from shieldclip.training.losses.rank_evidence import (
    caption_fit,
    joint_rank,
    knowledge_fit,
    own_rank,
    rivals,
)

RANKS = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def captions(*index: list[int]) -> CaptionElements:
    return CaptionElements(torch.eye(4), torch.tensor(index))


def test_captions_with_equal_elements_do_not_compete():
    elements = captions([0, 1], [1, 0], [1, -1], [-1, -1], [-1, -1])
    competing = rivals(elements)
    assert not competing[0, 1] and competing[0, 2]
    assert competing[3, 4], "captions without elements may mean different things"
    assert not competing.diagonal().any()
    assert torch.equal(competing, competing.T)


def test_own_rank_counts_better_rivals_only():
    scores = torch.tensor([[2.0, 3.0, 1.0], [0.0, 5.0, 4.0], [9.0, 9.0, 1.0]])
    competing = torch.tensor([[0, 1, 1], [1, 0, 1], [1, 0, 0]]).bool()
    assert own_rank(scores, competing).tolist() == [0.5, 0.0, 1.0]


def test_own_rank_is_unknown_without_rivals():
    assert own_rank(torch.ones(2, 2), torch.zeros(2, 2).bool()).isnan().all()


@given(st.integers(2, 9), st.integers(0, 99), st.floats(0.1, 50), st.floats(-3, 3))
def test_own_rank_needs_no_calibration(count, seed, scale, shift):
    scores = torch.randn(count, count, generator=torch.Generator().manual_seed(seed)).double()
    competing = ~torch.eye(count, dtype=torch.bool)
    assert torch.equal(own_rank(scores, competing), own_rank(scale * scores + shift, competing))


@given(st.integers(2, 9), st.integers(0, 99), st.floats(0, 1))
def test_caption_fit_takes_a_share_of_each_captions_mean_off(count, seed, centring):
    draw = torch.Generator().manual_seed(seed)
    images, texts = torch.randn(2, count, 6, generator=draw).double()
    scores = images.numpy() @ texts.numpy().T
    expected = scores - centring * scores.mean(axis=0)
    np.testing.assert_allclose(caption_fit(images, texts, centring), expected, atol=1e-12)


def test_a_caption_that_fits_every_image_is_first_only_where_it_fits_best():
    images = torch.cat([torch.eye(4), torch.ones(4, 1)], dim=1)
    texts = torch.cat([torch.eye(4), torch.tensor([[3.0], [0.0], [0.0], [0.0]])], dim=1)
    others = ~torch.eye(4, dtype=torch.bool)
    assert own_rank(caption_fit(images, texts), others).count_nonzero() == 3
    assert own_rank(caption_fit(images, texts, 1), others).tolist() == [0] * 4


def test_knowledge_fit_is_the_centred_mean_over_elements(batch):
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).double()
    centred = logits.numpy() - logits.numpy().mean(axis=0)
    index = batch.elements.index.numpy()
    expected = np.array(
        [[centred[n, own[own >= 0]].mean() if (own >= 0).any() else 0 for own in index]
         for n in range(5)]
    )  # fmt: skip
    np.testing.assert_allclose(knowledge_fit(logits, batch.elements), expected, rtol=1e-12)


def test_an_element_that_fits_every_image_is_no_evidence(batch):
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).double()
    generic = logits + torch.tensor([5.0, 0, 0, 0, 0, 0, 0])
    fit = knowledge_fit(logits, batch.elements)
    torch.testing.assert_close(knowledge_fit(generic, batch.elements), fit)


@given(RANKS, st.integers(0, 99), st.floats(0, 1))
def test_joint_rank_lies_between_its_two(first, seed, say):
    by_caption = torch.tensor(first).double()
    by_knowledge = torch.rand(len(first), generator=torch.Generator().manual_seed(seed)).double()
    joint = joint_rank(by_caption, by_knowledge, torch.tensor([1 - say, say]).double())
    low, high = torch.minimum(by_caption, by_knowledge), torch.maximum(by_caption, by_knowledge)
    assert ((joint >= low - 1e-9) & (joint <= high + 1e-9)).all()


def test_joint_rank_follows_the_judge_that_counts():
    ranks = torch.tensor([0.25, 0.5]), torch.tensor([0.9, 0.1])
    for place, rank in enumerate(ranks):
        weights = torch.eye(2)[place]
        torch.testing.assert_close(joint_rank(*ranks, weights), rank)


def test_joint_rank_without_knowledge_is_the_rank_by_caption():
    by_caption = torch.tensor([0.25, 0.5])
    by_knowledge = torch.tensor([torch.nan, torch.nan])
    joint = joint_rank(by_caption, by_knowledge, torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(joint, by_caption)
