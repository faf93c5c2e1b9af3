"""Learning from wrong captions what images are not."""

from __future__ import annotations

import loss_references as reference
import numpy as np
import pytest
import torch

from shieldclip.training.losses import UnlikelihoodLoss
from shieldclip.training.losses.rank_evidence import rivals

SCALE = 9.0
FREQUENCIES = torch.tensor([1.0, 0.5, 0.25, 1.0, 0.1], dtype=torch.float64)


def wrong(batch, frequencies, alike) -> list[float]:
    """-log(1 - p(a caption that means what the own one means | image)), pair by pair."""
    images, texts = reference.array(batch.images), reference.array(batch.texts)
    losses = []
    for own, image in enumerate(images):
        mass = frequencies.numpy() * np.exp(SCALE * texts @ image)
        losses.append(-np.log(1 - mass[alike[own]].sum() / mass.sum()))
    return losses


def test_it_is_the_log_of_not_being_what_the_caption_says(batch):
    competing = rivals(batch.elements)
    competing[0, 3] = competing[3, 0] = False
    alike = [[0, 3], [1], [2], [0, 3], [4]]
    loss = UnlikelihoodLoss()(batch.images, batch.texts, SCALE, competing)
    expected = wrong(batch, torch.ones(5), alike)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-9)
    rows, weights = torch.tensor([3, 1]), torch.tensor([2.0, 0.5], dtype=torch.float64)
    chosen = UnlikelihoodLoss()(
        batch.images, batch.texts, SCALE, competing, rows, weights, FREQUENCIES
    )
    expected = wrong(batch, FREQUENCIES, alike)
    assert chosen.item() == pytest.approx((2 * expected[3] + 0.5 * expected[1]) / 2, rel=1e-9)


def test_a_step_makes_the_wrong_caption_less_likely(batch):
    competing = rivals(batch.elements)
    rows = torch.tensor([1])
    loss = UnlikelihoodLoss()(batch.images, batch.texts, SCALE, competing, rows)
    loss.backward()
    moved = batch.images.detach() - 0.1 * batch.images.grad
    assert moved[1] @ batch.texts[1] < batch.images[1] @ batch.texts[1]
    assert batch.images.grad[[0, 2, 3, 4]].abs().max() == 0


def test_what_looks_wrong_already_is_left_alone(batch):
    sure = torch.eye(5, 8, dtype=torch.float64).requires_grad_()
    loss = UnlikelihoodLoss()(sure, sure.detach().roll(1, 0), 100.0, rivals(batch.elements))
    loss.backward()
    assert loss.item() < 1e-30
    assert sure.grad.abs().max() < 1e-30


def test_nothing_else_to_be(batch):
    alone = torch.zeros(5, 5, dtype=torch.bool)
    loss = UnlikelihoodLoss()(batch.images, batch.texts, SCALE, alone)
    loss.backward()
    assert loss.item() == 0
    assert batch.images.grad.abs().max() == 0


def test_half_precision_embeddings_give_a_float32_loss(narrow):
    loss = UnlikelihoodLoss()(narrow.images, narrow.texts, 100.0, rivals(narrow.elements))
    assert loss.dtype == torch.float32
    assert loss.isfinite()
