"""Safe sets: the first share, its growth, and what pairs are judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peer_parts import embeds

from shieldclip.matching import ImageFeatures, TextFeatures
from shieldclip.training.defences.base import Seen
from shieldclip.training.defences.safe_set import SafeSet, certain_share, own_similarity
from shieldclip.transport import Bags


def two_groups(low: int, high: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(0)
    means = torch.cat([torch.full((low,), 0.1), torch.full((high,), 0.6)])
    return means + 0.03 * torch.randn(low + high, generator=noise)


def densities(values, mean, deviation):
    return np.exp(-(((values - mean) / deviation) ** 2) / 2) / deviation


def test_the_first_share_is_that_of_posteriors_above_the_certainty():
    # Groups that overlap: some pairs of the upper one are not certain.
    values = np.concatenate([two_groups(400, 0).numpy() + 0.4, two_groups(0, 300).numpy()])
    upper = 300 * densities(values, 0.6, 0.03)
    lower = 400 * densities(values, 0.5, 0.03)
    expected = (upper / (upper + lower) > 0.9).mean()
    assert 0.3 < expected < 0.41  # of 300 in 700
    assert certain_share(values.astype(np.float64), 0.9) == pytest.approx(expected, abs=0.02)


def test_equal_similarities_are_all_safe():
    assert certain_share(np.full(20, 0.4), 0.9) == 1


def test_the_set_grows_by_the_rule_and_stops():
    similarity = two_groups(80, 20)
    safe_set = SafeSet(certainty=0.9, growth=0.25, most=0.6)
    chosen = [safe_set.choose(similarity) for _ in range(4)]
    assert [int(safe.sum()) for safe in chosen] == [20, 45, 60, 60]
    for safe in chosen:
        assert similarity[safe].min() >= similarity[~safe].max()
    assert chosen[0].tolist() == [False] * 80 + [True] * 20


def test_a_first_share_beyond_the_most_stays():
    safe_set = SafeSet(certainty=0.9, growth=0.25, most=0.6)
    assert [int(safe_set.choose(two_groups(10, 90)).sum()) for _ in range(2)] == [90, 90]


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=30), st.floats(0, 1))
def test_who_is_safe_is_decided_by_similarity_alone(values, share):
    safe_set = SafeSet(certainty=0.9, growth=0.0, most=1.0)
    safe_set.load_state_dict({"share": torch.tensor(share, dtype=torch.float64)})
    similarity = torch.tensor(values)
    safe = safe_set.choose(similarity)
    assert int(safe.sum()) == round(share * len(values))
    if safe.any() and not safe.all():
        assert similarity[safe].min() >= similarity[~safe].max()


def test_a_restored_set_grows_on():
    first, second = (SafeSet(certainty=0.9, growth=0.1, most=0.85) for _ in range(2))
    first.choose(two_groups(80, 20))
    second.load_state_dict(first.state_dict())
    for safe_set in (first, second):
        assert int(safe_set.choose(two_groups(80, 20)).sum()) == 30


class Pairs:
    """More pairs than are judged at once; texts are the numbers of their embeddings."""

    def __init__(self, captions: Sequence[Sequence[str]]) -> None:
        self.captions = captions
        self.images, self.texts = (embeds(len(captions), seed).detach() for seed in (0, 1))

    def see_images(self, rows: Sequence[int]) -> Seen:
        chosen = self.images[list(rows)]
        whole = ImageFeatures(chosen[:, None], chosen)
        return Seen(whole, torch.tensor(list(rows)), torch.ones(len(rows), dtype=torch.bool))

    def read_texts(self, texts: Sequence[str]) -> TextFeatures:
        chosen = self.texts[[int(text) for text in texts]]
        return TextFeatures(Bags(chosen, torch.arange(len(texts) + 1)), chosen)


def test_similarity_is_the_mean_over_a_pictures_captions():
    count = 1500
    captions = [[str(n), str((7 * n) % count)] if n % 3 else [str(n // 2)] for n in range(count)]
    pairs = Pairs(captions)
    expected = [
        np.mean([float(pairs.images[n] @ pairs.texts[int(text)]) for text in own])
        for n, own in enumerate(captions)
    ]
    np.testing.assert_allclose(own_similarity(pairs).numpy(), expected, atol=1e-6)
