"""Evidence for pairs, and weights from evidence."""

from __future__ import annotations

import loss_references as reference
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.losses import CaptionElements
from shieldclip.training.losses.alignment import caption_scores, patch_relevance
from shieldclip.training.losses.knowledge_weights import (
    absolute_evidence,
    proportional_weights,
    relative_evidence,
    trimmed_weights,
    warmed_up,
)

NAN = float("nan")
evidences = st.lists(st.one_of(st.floats(-1, 1), st.just(NAN)), min_size=1, max_size=20)


def test_absolute_evidence_is_attended_relevance(batch):
    relevance = patch_relevance(batch.patches, batch.elements, torch.arange(5))
    evidence = absolute_evidence(batch.attention, relevance, batch.elements.known)
    attended = reference.array(batch.attention) * reference.relevance(batch.patches, batch.elements)
    expected = attended.sum(axis=1)
    expected[2] = NAN
    np.testing.assert_allclose(evidence, expected, rtol=1e-12)
    assert not evidence.requires_grad


def test_relative_evidence_is_own_minus_best_rival_after_centring(batch):
    evidence = relative_evidence(caption_scores(batch.patches, batch.elements), batch.elements)
    scores = reference.caption_scores(batch.patches, batch.elements)
    centred = scores - scores.mean(axis=0)
    rivals = {0: [1, 4], 1: [0, 3, 4], 3: [1, 4], 4: [0, 1, 3]}  # 0 and 3 share an element
    expected = np.full(5, NAN)
    for pair, others in rivals.items():
        expected[pair] = centred[pair, pair] - max(centred[pair, other] for other in others)
    np.testing.assert_allclose(evidence, expected, rtol=1e-12)
    assert not evidence.requires_grad


def test_relative_evidence_does_not_see_what_fits_every_image(batch):
    scores = caption_scores(batch.patches, batch.elements)
    generic = scores + torch.tensor([0.5, 0, 0, 0, 0], dtype=torch.float64)
    expected = relative_evidence(scores, batch.elements)
    torch.testing.assert_close(relative_evidence(generic, batch.elements), expected, equal_nan=True)


def test_relative_evidence_needs_a_rival():
    elements = CaptionElements(torch.eye(2), torch.tensor([[0], [0]]))
    assert relative_evidence(torch.rand(2, 2), elements).isnan().all()


@given(evidences)
def test_proportional_weights(values):
    evidence = torch.tensor(values, dtype=torch.float64)
    weights = proportional_weights(evidence)
    assert weights.mean().item() == pytest.approx(1)
    assert (weights >= 0).all()
    assert (weights[evidence.isnan()] == 1).all()
    judged = evidence[~evidence.isnan()].clamp_min(0)
    if (judged > 0).any():
        np.testing.assert_allclose(weights[~evidence.isnan()], judged / judged.mean(), rtol=1e-9)


@given(evidences, st.floats(0, 0.99))
def test_trimmed_weights(values, share):
    evidence = torch.tensor(values, dtype=torch.float64)
    weights = trimmed_weights(evidence, share)
    judged = ~evidence.isnan()
    assert weights.mean().item() == pytest.approx(1)
    assert (weights[~judged] == 1).all()
    dropped, kept = evidence[judged & (weights == 0)], evidence[judged & (weights > 0)]
    assert len(dropped) == int(share * judged.sum())
    assert len(weights[judged & (weights > 0)].unique()) <= 1
    if len(dropped) and len(kept):
        assert dropped.max() <= kept.min()


def test_warm_up():
    weights = torch.tensor([0.5, 1.5])
    assert warmed_up(weights, step=4, warm_up=5).tolist() == [1, 1]
    assert torch.equal(warmed_up(weights, step=5, warm_up=5), weights)
