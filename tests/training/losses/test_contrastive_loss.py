"""InfoNCE, plain and weighted by knowledge."""

from __future__ import annotations

import loss_references as reference
import numpy as np
import pytest
import torch

from shieldclip.training.losses import ContrastiveLoss, KnowledgeWeightedContrastiveLoss
from shieldclip.training.losses.knowledge_weights import trimmed_weights


def test_plain_loss_is_symmetric_info_nce(batch):
    expected = reference.info_nce(batch.images, batch.texts, 14.0)
    loss = ContrastiveLoss()(batch.images, batch.texts, 14.0)
    np.testing.assert_allclose(loss.item(), expected.mean(), rtol=1e-12)


def test_rows_and_weights(batch):
    rows, weights = torch.tensor([3, 1]), torch.tensor([2.0, 0.5], dtype=torch.float64)
    expected = reference.info_nce(batch.images, batch.texts, 14.0)
    loss = ContrastiveLoss()(batch.images, batch.texts, 14.0, rows, weights)
    np.testing.assert_allclose(loss.item(), (2 * expected[3] + 0.5 * expected[1]) / 2, rtol=1e-12)


def test_two_texts_that_count_half_are_one(batch):
    """As negatives; an own text counts whole."""
    texts = torch.cat([batch.texts, batch.texts[4:]])
    images = torch.cat([batch.images, batch.images[4:]])
    halves = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5, 0.5], dtype=torch.float64)
    rows = torch.arange(4)
    there = ContrastiveLoss().per_pair(images, texts, 14.0, rows, halves)
    back = ContrastiveLoss().per_pair(images, texts, 14.0, rows)
    once = ContrastiveLoss().per_pair(images[:5], texts, 14.0, rows)
    expected = reference.info_nce(batch.images, batch.texts, 14.0)[:4]
    # Images of the sixth pair are negatives of texts as before.
    np.testing.assert_allclose((there - (back - once)).tolist(), expected, rtol=1e-12)


def test_images_that_are_no_negatives_of_a_text_do_not_count_for_it(batch):
    negatives = torch.ones(5, 5, dtype=torch.bool)
    negatives[4, :3] = False
    negatives[0, 0] = False  # of no effect: image 0 is text 0's positive
    rows = torch.arange(4)
    whole = ContrastiveLoss().per_pair(batch.images, batch.texts, 14.0, rows)
    to_texts = ContrastiveLoss().per_pair(batch.images[:4], batch.texts, 14.0, rows)
    loss = ContrastiveLoss().per_pair(batch.images, batch.texts, 14.0, rows, None, negatives)
    expected = [*to_texts[:3].tolist(), whole[3].item()]
    np.testing.assert_allclose(loss.tolist(), expected, rtol=1e-12)


def test_gradient_reaches_embeddings_and_scale(batch):
    scale = torch.tensor(14.0, requires_grad=True)
    ContrastiveLoss()(batch.images, batch.texts, scale).backward()
    for tensor in (batch.images, batch.texts, scale):
        assert tensor.grad.abs().max() > 0


def test_half_precision_embeddings_give_a_float32_loss(narrow):
    loss = ContrastiveLoss()(narrow.images, narrow.texts, 100.0)
    expected = reference.info_nce(narrow.images, narrow.texts, 100.0).mean()
    assert loss.dtype == torch.float32
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-5)


def test_autocast_does_not_narrow_the_loss(batch):
    images, texts = batch.images.float(), batch.texts.float()
    expected = ContrastiveLoss()(images, texts, 100.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ContrastiveLoss()(images, texts, 100.0), expected)


def test_knowledge_weights_multiply_the_pairs(batch):
    evidence = torch.tensor([0.4, 0.2, torch.nan, -0.1, 0.2], dtype=torch.float64)
    weights = np.array([2.0, 1.0, 1.0, 0.0, 1.0])  # of mean 1 over the judged pairs
    expected = (weights * reference.info_nce(batch.images, batch.texts, 14.0)).mean()
    loss = KnowledgeWeightedContrastiveLoss()(batch.images, batch.texts, 14.0, evidence, step=0)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)


@pytest.mark.parametrize(("step", "weighted"), [(0, False), (9, False), (10, True)])
def test_knowledge_weights_start_after_the_warm_up(batch, step, weighted):
    evidence = torch.tensor([0.5, 0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    module = KnowledgeWeightedContrastiveLoss(trimmed_weights, warm_up=10)
    weights = [1.25, 1.25, 1.25, 1.25, 0.0] if weighted else [1.0] * 5
    assert module.weights(evidence, step).tolist() == weights
    expected = (weights * reference.info_nce(batch.images, batch.texts, 14.0))[[1, 4]].mean()
    rows = torch.tensor([1, 4])
    loss = module(batch.images, batch.texts, 14.0, evidence, step, rows)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)
