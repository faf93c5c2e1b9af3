"""InfoNCE over transport costs."""

from __future__ import annotations

import numpy as np
import ot
import pytest
import torch
from torch.nn.functional import normalize

from shieldclip.training.losses.transport_contrastive import TransportContrastiveLoss

PAIRS, PATCHES, WORDS, WIDTH, SCALE, EPSILON = 5, 4, 3, 6, 12.0, 0.1


def sets(count: int, size: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, size, WIDTH, generator=generator, dtype=torch.float64)
    return normalize(features, dim=-1).requires_grad_()


@pytest.fixture
def batch():
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 0]]).bool()
    whole = torch.ones(PAIRS, PATCHES, dtype=torch.bool)
    similarity = torch.rand(PAIRS, PAIRS, generator=torch.Generator().manual_seed(2))
    return sets(PAIRS, PATCHES, 0), whole, sets(PAIRS, WORDS, 1), mask, similarity


def reference(patches, words, mask, candidates) -> float:
    """Both directions by POT, for given candidates of each image and of each caption."""

    def value(image: int, caption: int) -> float:
        seen, read = patches[image].detach().numpy(), words[caption].detach().numpy()
        cost = 1 - seen @ read[mask[caption].numpy()].T
        a, b = (np.full(size, 1 / size) for size in cost.shape)
        plan = ot.sinkhorn(a, b, cost, EPSILON, stopThr=1e-12, numItermax=100_000)
        return (plan * cost).sum() + EPSILON * (plan * np.log(plan / np.outer(a, b))).sum()

    losses = []
    for own, (captions, images) in enumerate(candidates):
        there = np.array([-SCALE * value(own, other) for other in captions])
        back = np.array([-SCALE * value(other, own) for other in images])
        losses += [np.logaddexp.reduce(there) - there[0], np.logaddexp.reduce(back) - back[0]]
    return float(np.mean(losses))


def test_it_is_info_nce_over_regularised_costs(batch):
    patches, _, words, mask, _ = batch
    everyone = [
        ([own, *(set(range(PAIRS)) - {own})], [own, *(set(range(PAIRS)) - {own})])
        for own in range(PAIRS)
    ]
    loss = TransportContrastiveLoss(PAIRS, EPSILON)(*batch, SCALE)
    assert loss.item() == pytest.approx(reference(patches, words, mask, everyone), abs=2e-3)


def test_each_set_meets_the_most_similar_others(batch):
    patches, _, words, mask, similarity = batch
    others = similarity.masked_fill(torch.eye(PAIRS).bool(), -1)
    hardest = [
        ([own, int(others[own].argmax())], [own, int(others[:, own].argmax())])
        for own in range(PAIRS)
    ]
    loss = TransportContrastiveLoss(2, EPSILON)(*batch, SCALE)
    assert loss.item() == pytest.approx(reference(patches, words, mask, hardest), abs=2e-3)


def test_equal_captions_are_no_negatives(batch):
    *features, similarity = batch
    alone = similarity.masked_fill(~torch.eye(PAIRS).bool(), -torch.inf)
    assert TransportContrastiveLoss(3, EPSILON)(*features, alone, SCALE).item() == 0


def test_gradient_reaches_both_sides_and_respects_weights(batch):
    patches, _, words, mask, _ = batch
    weights = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0])
    loss = TransportContrastiveLoss(1 + 1, EPSILON)
    similarity = torch.eye(PAIRS).roll(1, 1)  # everyone's one negative is its neighbour
    loss(*batch[:4], similarity, SCALE, weights).backward()
    assert patches.grad.abs().amax(dim=(1, 2)).min() > 0
    assert (words.grad.abs().amax(dim=2) > 0)[mask].all()
    assert not (words.grad.abs().amax(dim=2) > 0)[~mask].any()


def test_a_caption_without_words_gives_a_finite_loss(batch):
    patches, whole, words, mask, similarity = batch
    empty = mask.clone()
    empty[0] = False
    loss = TransportContrastiveLoss(3, EPSILON)(patches, whole, words, empty, similarity, SCALE)
    loss.backward()
    assert loss.isfinite()
    assert patches.grad.isfinite().all()
    assert words.grad.isfinite().all()
