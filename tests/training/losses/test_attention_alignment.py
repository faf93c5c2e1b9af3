"""Attention follows knowledge: both forms of the loss."""

from __future__ import annotations

import loss_references as reference
import numpy as np
import pytest
import torch

from shieldclip.modeling.attention import attention_to_patches
from shieldclip.training.losses import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
    CaptionElements,
)
from shieldclip.training.losses.alignment import patch_relevance

FORMS = [
    (AttentionAlignmentLoss(), reference.attention_kl),
    (AttentionAlignmentBCELoss(), reference.attention_bce),
]


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_loss_equals_the_formula(batch, loss, formula):
    expected = formula(batch.attention, batch.patches, batch.elements, 5.0)
    value = loss(batch.attention, batch.patches, batch.elements, 5.0)
    np.testing.assert_allclose(value.item(), expected.mean(), rtol=1e-10)


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_rows_and_weights(batch, loss, formula):
    rows, weights = torch.tensor([4, 0]), torch.tensor([0.5, 2.0], dtype=torch.float64)
    expected = formula(batch.attention, batch.patches, batch.elements, 5.0)[[4, 0]]
    value = loss(batch.attention[rows], batch.patches[rows], batch.elements, 5.0, rows, weights)
    np.testing.assert_allclose(value.item(), (expected * [0.5, 2.0]).mean(), rtol=1e-10)


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_gradient_reaches_the_attention_of_captions_with_elements(batch, loss, formula):
    scale = torch.tensor(5.0, requires_grad=True)
    loss(batch.attention, batch.patches, batch.elements, scale).backward()
    reached = batch.attention.grad.norm(dim=-1) > 0
    assert reached.tolist() == [True, True, False, True, True]
    assert scale.grad.abs() > 0


def test_published_form_trains_patches_and_ours_leaves_them(batch):
    AttentionAlignmentLoss()(batch.attention, batch.patches, batch.elements, 5.0).backward()
    assert batch.patches.grad is None
    AttentionAlignmentBCELoss()(batch.attention, batch.patches, batch.elements, 5.0).backward()
    assert batch.patches.grad.abs().max() > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("least", [0.0, 1e-30, 1e-7, 1e-4])
def test_gradient_is_finite_where_hardly_any_attention_is_paid(batch, dtype, least):
    attention = batch.attention.detach().clone()
    attention[:, 1] = least
    attention = attention.to(dtype).requires_grad_()
    AttentionAlignmentLoss()(attention, batch.patches, batch.elements, 5.0).backward()
    assert attention.grad.isfinite().all()


@pytest.mark.parametrize("lead", [0.0, 20.0, 95.0, 200.0])
def test_gradient_is_finite_where_the_global_token_has_all_attention(batch, lead):
    logits = torch.zeros(5, 2, 5)
    logits[:, :, 0] = lead
    logits.requires_grad_()
    attention = attention_to_patches(logits.softmax(dim=-1))
    AttentionAlignmentLoss()(attention, batch.patches, batch.elements, 5.0).backward()
    assert attention.isfinite().all()
    assert logits.grad.isfinite().all()


def test_divergence_vanishes_where_attention_is_proportional(batch):
    relevance = patch_relevance(batch.patches, batch.elements, torch.arange(5)).detach()
    attention = (5.0 * relevance).softmax(dim=-1)
    value = AttentionAlignmentLoss()(attention, batch.patches, batch.elements, 5.0)
    assert abs(value.item()) < 1e-12


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_descent_moves_attention_to_the_relevant_patch(batch, loss, formula):
    logits = torch.zeros(5, 4, dtype=torch.float64, requires_grad=True)
    for _ in range(100):
        value = loss(logits.softmax(dim=-1), batch.patches.detach(), batch.elements, 5.0)
        (gradient,) = torch.autograd.grad(value, logits)
        with torch.no_grad():
            logits -= 10 * gradient
    relevance = reference.relevance(batch.patches, batch.elements)
    for pair in (0, 1, 3, 4):
        assert logits[pair].argmax() == relevance[pair].argmax()
    assert (logits[2] == 0).all()


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_no_attention_at_all_stays_finite(batch, loss, formula):
    attention = torch.zeros_like(batch.attention).requires_grad_()
    value = loss(attention, batch.patches, batch.elements, 5.0)
    value.backward()
    assert value.isfinite()
    assert attention.grad.isfinite().all()


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_half_precision_embeddings_give_a_float32_loss(narrow, loss, formula):
    expected = formula(narrow.attention, narrow.patches, narrow.elements, 50.0).mean()
    value = loss(narrow.attention, narrow.patches, narrow.elements, 50.0)
    assert value.dtype == torch.float32
    np.testing.assert_allclose(value.item(), expected, rtol=1e-3)
    value.backward()
    assert narrow.attention.grad.isfinite().all()


@pytest.mark.parametrize(("loss", "formula"), FORMS)
def test_a_batch_without_any_elements_costs_nothing(batch, loss, formula):
    nothing = CaptionElements(batch.elements.embeddings[:1], torch.empty(5, 0, dtype=torch.long))
    assert loss(batch.attention, batch.patches, nothing, 5.0).item() == 0
