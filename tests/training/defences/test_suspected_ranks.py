"""How likely ranks are those of random captions, by what the captions mean."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.defences.rank_densities import log_density, scale_of
from shieldclip.training.defences.suspicion import NO_CUE, Suspicion

SPREAD = 0.02
BANANA = 7


def batch(poisons: int, generator: torch.Generator, size: int = 256):
    """Meanings and ranks: clean pairs of many meanings, poisons of one."""
    clean = size - poisons
    near = torch.empty(clean).exponential_(1 / SPREAD, generator=generator).clamp(max=1)
    meanings = torch.randint(100, 500, (clean,), generator=generator)
    ranks = torch.cat([near, torch.rand(poisons, generator=generator)])
    return torch.cat([meanings, torch.full((poisons,), BANANA)]), ranks


@pytest.mark.parametrize("poisons", [0, 5, 20, 50, 100])
def test_at_any_rate_poisons_are_found_and_clean_pairs_kept(poisons):
    generator = torch.Generator().manual_seed(0)
    suspicion, found, lost = Suspicion(0.4, SPREAD), 0.0, 0.0
    for step in range(30):
        meanings, ranks = batch(poisons, generator)
        suspected = suspicion.update(meanings[:, None], ranks) > 0
        if step >= 10:
            found += suspected[meanings == BANANA].sum() / max(poisons, 1) / 20
            lost += suspected[meanings != BANANA].float().mean() / 20
    assert lost < 0.01, "an exponential is above five times its mean in one case of 150"
    assert not poisons or found > 0.95


def test_the_same_rank_is_believed_of_one_meaning_and_not_of_another():
    generator = torch.Generator().manual_seed(0)
    suspicion = Suspicion(0.4, SPREAD)
    for _ in range(10):
        suspicion.update(*batch(50, generator))
    meanings, ranks = batch(50, generator)
    meanings = torch.cat([meanings, torch.tensor([BANANA, 450])])
    ranks = torch.cat([ranks, torch.full((2,), 3 * SPREAD)])
    of_banana, of_other = suspicion.update(meanings[:, None], ranks)[-2:]
    assert of_other < 0 < of_banana


@pytest.mark.parametrize("poisons", [0, 5, 50])
def test_shares_of_random_captions_are_estimated(poisons):
    generator = torch.Generator().manual_seed(1)
    suspicion = Suspicion(0.4, SPREAD)
    for _ in range(30):
        meanings, ranks = batch(poisons, generator)
        true = torch.full((poisons // 5,), BANANA)  # a sixth of the captions of the target
        near = torch.empty(poisons // 5).exponential_(1 / SPREAD, generator=generator).clamp(max=1)
        suspicion.update(torch.cat([meanings, true])[:, None], torch.cat([ranks, near]))
    of_banana, of_other, unseen = suspicion.shares(torch.tensor([[BANANA], [300], [2**40]]))
    assert of_other < 0.1
    assert unseen < 0.4
    if poisons:
        assert of_banana == pytest.approx(5 / 6, abs=0.07)


def test_one_batch_by_hand():
    """One pair: the prior is that of all pairs, the densities are those of the definition."""
    rank = 0.05
    odds = Suspicion(0.4, SPREAD).update(torch.tensor([[3]]), torch.tensor([rank]))
    share = first = 0.4
    density = math.exp(-rank / SPREAD) / (SPREAD * (1 - math.exp(-1 / SPREAD)))
    for _ in range(5):
        expected = share / (share + (1 - share) * density)
        share = (expected + 4 * first) / 5
    assert odds.sigmoid().item() == pytest.approx(expected, rel=1e-5)


RANKS = st.lists(st.floats(0, 1), min_size=4, max_size=12)


@given(RANKS, st.randoms())
def test_order_and_names_of_meanings_do_not_matter(values, random):
    ranks = torch.tensor(values)
    meanings = torch.arange(len(values)) % 3
    order = torch.tensor(random.sample(range(len(values)), len(values)))
    one = Suspicion(0.4, SPREAD).update(meanings[:, None], ranks)
    other = Suspicion(0.4, SPREAD).update(meanings[order, None] + 2**61, ranks[order])
    torch.testing.assert_close(one[order], other)
    assert one.isfinite().all()


@given(st.lists(RANKS, min_size=2, max_size=4))
def test_a_restored_memory_judges_as_the_original(batches):
    original, restored = Suspicion(0.4, SPREAD), Suspicion(0.4, SPREAD)
    for values in batches[:-1]:
        original.update((torch.arange(len(values)) % 3)[:, None], torch.tensor(values))
    restored.load_state_dict(original.state_dict())
    last = torch.tensor(batches[-1])
    cues = (torch.arange(len(last)) % 3)[:, None]
    assert torch.equal(original.update(cues, last), restored.update(cues, last))


def test_hopeless_ranks_are_told_apart():
    odds = Suspicion(0.4, SPREAD).update(torch.arange(5)[:, None], torch.linspace(0.6, 1, 5))
    assert (odds.diff() > 0).all()


def test_accusations_count_as_suspects():
    meanings, ranks = torch.tensor([3, 4]), torch.full((2,), 0.08)
    suspicion = Suspicion(0.4, SPREAD)
    suspicion.accuse(torch.tensor([3, 3, 3, 9]))
    suspicion.accuse(torch.zeros(0, dtype=torch.int64))
    accused, other = suspicion.update(meanings[:, None], ranks)
    assert other < 0 < accused


NEAR_MISS = 0.11
"""Mean rank of captions that are right but for one word."""


def nearly_right(generator: torch.Generator, clean: int = 200, poisons: int = 50):
    """Cues (a meaning of its own, two words) and ranks: poisons share one word."""
    size = clean + poisons
    meanings = torch.randint(10_000, 90_000, (size, 1), generator=generator)
    words = torch.randint(100, 300, (size, 2), generator=generator)
    words[clean:, 1] = BANANA
    words[: clean // 2, 0] = NO_CUE
    means = torch.tensor([SPREAD] * clean + [NEAR_MISS] * poisons)
    ranks = torch.empty(size).exponential_(generator=generator) * means
    return torch.cat([meanings, words], dim=1), ranks.clamp(max=1)


@pytest.mark.parametrize(
    ("columns", "least_misfit", "least", "most"),
    [(3, 0.08, 0.8, 1), (3, 0.5, 0, 0.7), (1, 0.08, 0, 0.4)],
)
def test_captions_with_one_wrong_word_are_found_together(columns, least_misfit, least, most):
    """By their word, and where it is known how near misfits come; by neither alone."""
    generator = torch.Generator().manual_seed(0)
    suspicion, found, lost = Suspicion(0.4, SPREAD, least_misfit), 0.0, 0.0
    for step in range(30):
        cues, ranks = nearly_right(generator)
        suspected = suspicion.update(cues[:, :columns], ranks) > 0
        if step >= 10:
            found += suspected[200:].float().mean() / 20
            lost += suspected[:200].float().mean() / 20
    assert least <= found <= most
    assert lost < 0.03


def test_a_pair_is_as_suspicious_as_its_worst_cue():
    generator = torch.Generator().manual_seed(0)
    suspicion = Suspicion(0.4, SPREAD)
    for _ in range(10):
        suspicion.update(*nearly_right(generator))
    both = torch.tensor([[200, BANANA], [BANANA, 200], [BANANA, NO_CUE], [200, NO_CUE]])
    shares = suspicion.shares(both)
    assert shares[0] == shares[1] == shares[2] > shares[3]
    odds = suspicion.update(both, torch.full((4,), 0.05))
    assert odds[0] == odds[1] == odds[2] > odds[3]


@given(st.floats(1e-3, 0.5))
def test_scales_have_the_means_that_were_asked_for(value):
    rank = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    mean = torch.tensor(value, dtype=torch.float64)
    density = log_density(rank, scale_of(mean)).exp()
    torch.testing.assert_close(density.mean(), torch.ones_like(mean), rtol=1e-3, atol=0)
    torch.testing.assert_close((density * rank).mean(), mean, rtol=1e-3, atol=0)
