"""CleanCLIP and PAR: losses of the repairs against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peer_parts import array, embeds, info_nce, seen, step
from torch.nn.functional import normalize

from shieldclip.training.defences import Moment, make_defence
from shieldclip.training.losses import DepartureLoss

PAIRS = 5


def test_cleanclip_ties_views_of_one_side():
    images, texts = embeds(2 * PAIRS, 0), embeds(2 * PAIRS, 1)
    terms = step("cleanclip", images, texts, row=torch.arange(PAIRS)).terms
    seen_images, read = array(images), array(texts)
    expected = {
        "contrastive": info_nce(seen_images[:PAIRS], read[:PAIRS]).mean(),
        "images": info_nce(seen_images[:PAIRS], seen_images[PAIRS:]).mean() / 2,
        "texts": info_nce(read[:PAIRS], read[PAIRS:]).mean() / 2,
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-6)


def far(rows: torch.Tensor, cosine: float) -> torch.Tensor:
    """Unit vectors at one cosine to each of the rows."""
    rows = rows.detach()
    other = normalize(rows.roll(1, 1) - (rows.roll(1, 1) * rows).sum(1, keepdim=True) * rows, dim=1)
    return cosine * rows + (1 - cosine**2) ** 0.5 * other


def test_par_leaves_its_start_on_each_side_until_that_is_far_enough():
    images, texts = embeds(PAIRS, 0), embeds(PAIRS, 1)
    # Squared distances 2 - 2 cos: 2.1 is below the threshold of 2.15, 2.2 beyond it.
    start = {"start_images": far(images, -0.05), "start_texts": far(texts, -0.1)}
    terms = step("par", images, texts, row=torch.arange(PAIRS), **start).terms
    expected = {
        "contrastive": info_nce(array(images), array(texts)).mean(),
        "images": -2.1 / 2,
        "texts": 0.0,
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-6)
    sum(terms[name] for name in ("images", "texts")).backward()
    assert images.grad.abs().max() > 0
    assert texts.grad.abs().max() == 0


def test_settings_weigh_and_bound_the_departure():
    images, texts = embeds(PAIRS, 0), embeds(PAIRS, 1)
    batch = {"row": torch.arange(PAIRS), "start_images": embeds(PAIRS, 2),
             "start_texts": far(texts, 0.5)}  # fmt: skip
    own = make_defence({"name": "par", "departure": 2.0, "threshold": 0.9})
    terms = own.losses(seen(images, texts), batch, Moment(0, 0, 0.0)).terms
    assert terms["texts"] == 0  # S is 1
    near = make_defence({"name": "par", "departure": 2.0, "threshold": 1.1})
    terms = near.losses(seen(images, texts), batch, Moment(0, 0, 0.0)).terms
    assert terms["texts"].item() == pytest.approx(-2.0)


def test_the_threshold_judges_the_whole_batch_and_not_the_own_rows():
    now = embeds(PAIRS, 0)
    start = torch.cat([far(now, -0.9)[:1], far(now, 0.5)[1:]])
    rows = torch.tensor([0])  # far away itself: its distance is 3.8, the mean 1.56
    loss = DepartureLoss(2.15)(now, start, rows)
    np.testing.assert_allclose(loss.item(), -3.8, rtol=1e-6)
    assert DepartureLoss(1.5)(now, start, torch.tensor([1])) == 0
