"""Patch-element alignment: scores, masks, gradient, precision."""

from __future__ import annotations

from dataclasses import replace

import loss_references as reference
import numpy as np
import pytest
import torch

from shieldclip.training.losses import CaptionElements, KnowledgeAlignmentLoss
from shieldclip.training.losses.alignment import caption_scores, patch_relevance

KE = KnowledgeAlignmentLoss()


def test_scores_are_means_of_best_patches(batch):
    np.testing.assert_allclose(
        reference.array(caption_scores(batch.patches, batch.elements)),
        reference.caption_scores(batch.patches, batch.elements),
        atol=1e-12,
    )


def test_relevance_is_the_best_own_element(batch):
    np.testing.assert_allclose(
        reference.array(patch_relevance(batch.patches, batch.elements, torch.arange(5))),
        reference.relevance(batch.patches, batch.elements),
        atol=1e-12,
    )


@pytest.mark.parametrize("bias", [0.0, -3.0])
def test_loss_equals_the_formula(batch, bias):
    expected = reference.knowledge_alignment(batch.patches, batch.elements, 10.0, bias)
    loss = KE(batch.patches, batch.elements, 10.0, bias)
    np.testing.assert_allclose(loss.item(), expected.mean(), rtol=1e-12)


def test_rows_and_weights(batch):
    rows, weights = torch.tensor([4, 0]), torch.tensor([0.5, 2.0], dtype=torch.float64)
    expected = reference.knowledge_alignment(batch.patches, batch.elements, 10.0, 0)[[4, 0]]
    loss = KE(batch.patches[rows], batch.elements, 10.0, rows=rows, weights=weights)
    np.testing.assert_allclose(loss.item(), (expected * [0.5, 2.0]).mean(), rtol=1e-12)


def test_gradient_reaches_patches_elements_and_temperature(batch):
    scale = torch.tensor(10.0, requires_grad=True)
    bias = torch.tensor(0.0, requires_grad=True)
    KE(batch.patches, batch.elements, scale, bias).backward()
    assert scale.grad.abs() > 0
    assert bias.grad.abs() > 0
    assert (batch.elements.embeddings.grad.norm(dim=-1) > 0).all()
    reached = batch.patches.grad.norm(dim=-1).amax(dim=-1) > 0
    assert reached.tolist() == [True, True, False, True, True]  # caption 2 has no elements


def test_descent_aligns_images_with_their_own_elements(batch):
    patches = batch.patches.detach().clone().requires_grad_()
    for _ in range(200):
        (gradient,) = torch.autograd.grad(KE(patches, batch.elements, 10.0), patches)
        with torch.no_grad():
            patches.copy_(torch.nn.functional.normalize(patches - gradient, dim=-1))
    scores = caption_scores(patches, batch.elements).detach()
    for pair in (1, 4):  # share nothing with any other
        assert scores[pair].argmax() == pair


def test_captions_that_share_an_element_are_no_negatives(batch):
    moved = batch.elements.embeddings.detach().clone()
    moved[5] = -moved[5]  # caption 3 has it, caption 0 shares element 1 with caption 3
    other = replace(batch.elements, embeddings=moved)
    image = batch.patches[:1], torch.tensor([0])
    before = KE(image[0], batch.elements, 10.0, rows=image[1])
    assert torch.equal(KE(image[0], other, 10.0, rows=image[1]), before)
    moved[6] = -moved[6]  # caption 4 shares nothing with caption 0
    assert not torch.equal(KE(image[0], other, 10.0, rows=image[1]), before)


def test_padding_has_no_effect(batch):
    wide = torch.nn.functional.pad(batch.elements.index, (0, 3), value=-1)
    padded = replace(batch.elements, index=wide)
    assert torch.equal(KE(batch.patches, padded, 10.0), KE(batch.patches, batch.elements, 10.0))


@pytest.mark.parametrize("width", [0, 2])
def test_a_batch_without_any_elements_costs_nothing(batch, width):
    nothing = CaptionElements(batch.elements.embeddings[:1], torch.full((5, width), -1))
    loss = KE(batch.patches, nothing, 10.0)
    assert loss.item() == 0
    loss.backward()
    assert batch.patches.grad.abs().max() == 0
    assert (patch_relevance(batch.patches, nothing, torch.arange(5)) == 0).all()


def test_half_precision_embeddings_give_a_float32_loss(narrow):
    expected = reference.knowledge_alignment(narrow.patches, narrow.elements, 100.0, 0).mean()
    loss = KE(narrow.patches, narrow.elements, 100.0)
    assert loss.dtype == torch.float32
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-4)
    loss.backward()
    assert narrow.patches.grad.isfinite().all()


def test_autocast_does_not_narrow_the_loss(batch):
    patches = batch.patches.float()
    elements = replace(batch.elements, embeddings=batch.elements.embeddings.float())
    expected = KE(patches, elements, 100.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(KE(patches, elements, 100.0), expected)
