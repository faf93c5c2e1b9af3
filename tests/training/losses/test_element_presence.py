"""The element loss against NumPy, and where its gradient goes."""

from __future__ import annotations

import numpy as np
import torch

from shieldclip.training.losses import ElementPresenceLoss
from shieldclip.training.losses.precision import products

ROWS = torch.arange(5)


def reference(logits: np.ndarray, index: np.ndarray, weights: np.ndarray) -> float:
    losses = []
    for row, own in zip(logits, index, strict=True):
        mine = np.isin(np.arange(len(row)), own[own >= 0])
        shown, absent = np.log1p(np.exp(-row[mine])), np.log1p(np.exp(row[~mine]))
        losses.append((shown.mean() + absent.mean()) / 2 if mine.any() else 0.0)
    return float(np.mean(weights * np.array(losses)))


def test_equals_numpy(batch):
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(3)).double()
    weights = torch.tensor([0.0, 1.0, 2.0, 1.5, 0.5]).double()
    loss = ElementPresenceLoss()(logits, batch.elements, ROWS, weights)
    expected = reference(logits.numpy(), batch.elements.index.numpy(), weights.numpy())
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)


def test_gradient_reaches_patches_and_elements_of_trusted_pairs_only(batch):
    logits = 10 * products(batch.patches, batch.elements.embeddings).amax(dim=1)
    weights = torch.tensor([0.0, 1, 1, 1, 1]).double()
    ElementPresenceLoss()(logits, batch.elements, ROWS, weights).backward()
    moved = batch.patches.grad.abs().amax(dim=(1, 2)) > 0
    assert moved.tolist() == [False, True, False, True, True]  # pair 2 has no elements
    assert (batch.elements.embeddings.grad.abs().amax(dim=1) > 0).any()


def test_parts_of_a_batch_average_to_the_whole(batch):
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(3)).double()
    loss = ElementPresenceLoss()
    whole = loss(logits, batch.elements, ROWS)
    parts = [
        len(rows) / 5 * loss(logits[rows], batch.elements, rows) for rows in (ROWS[:2], ROWS[2:])
    ]
    torch.testing.assert_close(sum(parts), whole)


def test_half_precision_logits_stay_finite(batch):
    logits = torch.full((5, 7), 300.0, dtype=torch.bfloat16)
    assert ElementPresenceLoss()(logits, batch.elements, ROWS).isfinite()
