"""The loss of a patch against NumPy, and what it asks for."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.adversary.patch.objective import Goal, patch_loss
from shieldclip.adversary.patch.settings import PatchSettings


def unit(generator: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = generator.normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), weights=st.tuples(*[st.floats(0, 9)] * 3))
def test_the_loss_is_the_sum_of_its_three_terms(
    seed: int, weights: tuple[float, float, float]
) -> None:
    generator = np.random.default_rng(seed)
    stamped, clean = unit(generator, 6, 5), unit(generator, 6, 5)
    # One caption and one picture of the target: the draw has no choice.
    caption, picture, others = unit(generator, 1, 5), unit(generator, 1, 5), unit(generator, 4, 5)
    scale, margin = generator.uniform(1, 30), generator.uniform(0, 2)

    logits = scale * np.concatenate([stamped @ caption.T, stamped @ others.T], axis=1)
    text = np.mean(np.log(np.exp(logits).sum(1)) - logits[:, 0])
    near = np.linalg.norm(stamped - picture + 1e-6, axis=1)
    far = np.linalg.norm(stamped - clean + 1e-6, axis=1)
    image, triplet = np.mean(near**2), np.mean(np.maximum(near - far + margin, 0))

    goal = Goal(*(torch.from_numpy(each) for each in (caption, others, picture)), scale)
    chosen = PatchSettings(text=weights[0], image=weights[1], triplet=weights[2], margin=margin)
    tensors = (torch.from_numpy(stamped), torch.from_numpy(clean))
    loss = patch_loss(*tensors, goal, chosen, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(loss, weights @ np.array([text, image, triplet]), rtol=1e-9)


def test_the_lead_is_that_of_the_ensemble_over_the_nearest_other_text() -> None:
    goal = Goal(torch.eye(4)[:2], torch.eye(4)[2:], torch.eye(4)[:1], 1.0)
    stamped = torch.tensor([[0.8, 0.0, 0.6, 0.0], [0.6, 0.6, 0.5, 0.1], [0.0, 0.0, 0.0, 1.0]])
    expected = [0.8 / 2**0.5 - 0.6, 1.2 / 2**0.5 - 0.5, -1.0]
    np.testing.assert_allclose(goal.lead(stamped), expected, atol=1e-6)
