"""The counter-based generator against its definition and against chance."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shieldclip.attacks.triggers.counter import mix, normal, random_words, uniform

MASK = (1 << 64) - 1
int64 = st.integers(-(1 << 63), (1 << 63) - 1)


def splitmix64(word: int) -> int:
    """The finalizer in unbounded integers, as a signed 64-bit number."""
    word &= MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    word ^= word >> 31
    return word - (1 << 64) if word >> 63 else word


@given(int64)
def test_mix_is_splitmix64(word: int) -> None:
    assert mix(torch.tensor([word])).item() == splitmix64(word)


@given(seed=st.integers(-(2**70), 2**70), index=int64, count=st.integers(1, 40))
def test_numbers_depend_on_seed_index_and_place_only(seed: int, index: int, count: int) -> None:
    alone = random_words(seed, 1, torch.tensor([index]), count)
    among = random_words(seed, 1, torch.tensor([5, index, index]), count + 3)[1:, :count]
    assert torch.equal(among, alone.expand(2, -1))


def test_seeds_streams_and_samples_share_no_number() -> None:
    draws = [
        random_words(seed, stream, torch.arange(50), 20).flatten()
        for seed in range(4)
        for stream in range(3)
    ]
    words = torch.cat(draws)
    assert len(words.unique()) == len(words)


def test_uniform_and_normal_have_their_distributions() -> None:
    even = uniform(0, 2, torch.arange(20), (3, 41, 17)).flatten().numpy()
    assert even.min() >= 0
    assert even.max() < 1
    assert stats.kstest(even, "uniform").pvalue > 1e-3
    bell = normal(0, 2, torch.arange(20), (3, 41, 17)).flatten().numpy()
    assert stats.kstest(bell, "norm").pvalue > 1e-3


def test_neighbours_are_not_correlated() -> None:
    numbers = uniform(0, 2, torch.arange(200), (500,)).double().numpy()
    along = np.corrcoef(numbers[:, 1:].ravel(), numbers[:, :-1].ravel())[0, 1]
    across = np.corrcoef(numbers[1:].ravel(), numbers[:-1].ravel())[0, 1]
    assert abs(along) < 0.015
    assert abs(across) < 0.015
