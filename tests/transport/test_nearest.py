"""`nearest_captions` and `pair_distances`, by every backend and instruction set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize
from transport_parts import generator_of, random_captions, reference_distances, unit_vectors

from shieldclip.transport import Bags, approximate_recall, nearest_captions, pair_distances

# The engine is the same for all examples of a test.
PER_ENGINE = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 1 << 30)


def all_distances(patches, captions, backend, **options):
    """``[I, N]`` by solving every pair."""
    images, count = len(patches), len(captions)
    rows = torch.arange(count).repeat(images)
    repeated = patches.repeat_interleave(count, 0)
    distances = pair_distances(repeated, captions.select(rows), backend=backend, **options)
    return distances.view(images, count)


@pytest.fixture(scope="module", params=[0.01, 0.03, 0.1])
def referenced(request):
    """Features of odd sizes and their distances by POT."""
    generator = generator_of(3)
    patches = unit_vectors(generator, 2, 19, 21)
    captions = random_captions(generator, 5, 8, 21)
    return patches, captions, request.param, reference_distances(patches, captions, request.param)


def test_distances_are_those_of_pot(engine, referenced):
    patches, captions, epsilon, expected = referenced
    found = all_distances(patches, captions, engine, epsilon=epsilon)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_distances_are_finer_at_a_finer_tolerance(engine, referenced):
    patches, captions, epsilon, expected = referenced
    found = all_distances(patches, captions, engine, epsilon=epsilon, tolerance=1e-6)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_precise_distances_are_finer_still(engine, referenced):
    patches, captions, epsilon, expected = referenced
    found = all_distances(patches, captions, engine, epsilon=epsilon, precise=True)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_nearest_is_that_of_pot(engine, referenced):
    patches, captions, epsilon, expected = referenced
    found = nearest_captions(patches, captions, epsilon=epsilon, backend=engine)
    assert found.index.tolist() == expected.argmin(1).tolist()
    np.testing.assert_allclose(found.distance, expected.min(1), rtol=0, atol=1e-5)


@pytest.fixture(scope="module", params=[0.01, 0.02])
def slow(request):
    """Mass that must leave its cluster takes more iterations than a search allows."""
    patches = unit_vectors(generator_of(1), 4, 16, 24, spread=0.1)
    captions = random_captions(generator_of(2), 10, 7, 24, spread=0.1)
    expected = reference_distances(patches, captions, request.param, iterations=30_000)
    return patches, captions, request.param, expected


def test_what_converges_slowly_is_as_exact(engine, slow):
    patches, captions, epsilon, expected = slow
    found = all_distances(patches, captions, engine, epsilon=epsilon)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    nearest = nearest_captions(patches, captions, epsilon=epsilon, backend=engine)
    np.testing.assert_allclose(nearest.distance, expected.min(1), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("patches", "words"), [(1, 1), (1, 9), (16, 16), (256, 77), (197, 33)])
def test_sizes_from_one_to_the_largest(engine, patches, words):
    generator = generator_of(patches)
    features = unit_vectors(generator, 1, patches, 12)
    captions = Bags.pack(
        unit_vectors(generator, 2, words, 12), torch.ones(2, words, dtype=torch.bool)
    )
    found = all_distances(features, captions, engine, epsilon=0.1)
    expected = reference_distances(features, captions, 0.1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@PER_ENGINE
@given(seed=SEEDS, epsilon=st.sampled_from([0.02, 0.05, 0.1, 0.2]), spread=st.floats(0.05, 2))
def test_pruned_search_is_brute_force(engine, seed, epsilon, spread):
    """Also with copies of captions in the pool: the first of them wins."""
    generator = generator_of(seed)
    patches = unit_vectors(generator, 2, 7, 12, spread=spread)
    captions = random_captions(generator, 20, 6, 12, spread=spread)
    pool = captions.select(torch.randint(20, (35,), generator=generator))
    options = {"epsilon": epsilon, "max_iterations": 20_000}
    found = nearest_captions(patches, pool, backend=engine, **options)
    brute = all_distances(patches, pool, engine, tolerance=1e-6, **options)
    least = brute.amin(1)
    assert torch.allclose(found.distance, least, rtol=0, atol=1e-5)
    for image, index in enumerate(found.index.tolist()):
        first = int((brute[image] <= least[image] + 1e-6).nonzero()[0])
        assert index == first
    assert found.stats.pairs == brute.numel()
    assert found.stats.solved + found.stats.pruned == found.stats.pairs
    assert found.stats.unconverged == 0


@PER_ENGINE
@given(seed=SEEDS, weight=st.sampled_from([0.3, 0.5, 0.9, 1.0]))
def test_search_with_global_features_is_brute_force(engine, seed, weight):
    generator = generator_of(seed)
    patches = unit_vectors(generator, 3, 9, 12)
    captions = random_captions(generator, 30, 7, 12)
    images, texts = (normalize(torch.randn(n, 6, generator=generator)) for n in (3, 30))
    found = nearest_captions(
        patches, captions, images=images, texts=texts, global_weight=weight, backend=engine
    )
    local = all_distances(patches, captions, engine, tolerance=1e-6)
    brute = weight * (1 - images @ texts.T) + (1 - weight) * local
    assert torch.allclose(found.distance, brute.amin(1), rtol=0, atol=1e-5)
    chosen = brute.gather(1, found.index[:, None]).squeeze(1)
    assert torch.allclose(chosen, brute.amin(1), rtol=0, atol=2e-6)
    pairs = pair_distances(
        patches, captions.select(found.index), images=images, texts=texts[found.index],
        global_weight=weight, backend=engine,
    )  # fmt: skip
    assert torch.allclose(pairs, found.distance, rtol=0, atol=1e-5)


@PER_ENGINE
@given(seed=SEEDS)
def test_order_of_pool_patches_and_words_changes_nothing(engine, seed):
    generator = generator_of(seed)
    patches = unit_vectors(generator, 3, 9, 12)
    captions = random_captions(generator, 60, 7, 12)
    pool = torch.randperm(60, generator=generator)
    turned = Bags(captions.select(pool).features.flip(0), captions.select(pool.flip(0)).offsets)
    found = nearest_captions(patches, captions, backend=engine)
    shuffled = patches[:, torch.randperm(9, generator=generator)]
    again = nearest_captions(shuffled, turned, backend=engine)
    assert torch.allclose(found.distance, again.distance, rtol=0, atol=1e-5)
    assert torch.equal(pool.flip(0)[again.index], found.index)


def test_a_pool_of_many_blocks_and_batches(engine):
    """More images and captions than one block of the kernel takes; seeds are used."""
    generator = generator_of(5)
    patches = unit_vectors(generator, 20, 49, 9, spread=0.5)
    captions = random_captions(generator, 300, 9, 9)
    found = nearest_captions(patches, captions, backend=engine)
    some = torch.tensor([0, 11, 19])
    brute = all_distances(patches[some], captions, engine)
    assert torch.equal(brute.argmin(1), found.index[some])
    assert found.stats.pruned > found.stats.solved


def test_threads_change_nothing(engine):
    generator = generator_of(6)
    patches = unit_vectors(generator, 30, 49, 9)
    captions = random_captions(generator, 50, 9, 9)
    threads = torch.get_num_threads()
    results = []
    for count in (1, 3):
        torch.set_num_threads(count)
        results.append(nearest_captions(patches, captions, backend=engine))
    torch.set_num_threads(threads)
    assert torch.equal(results[0].index, results[1].index)
    assert torch.allclose(results[0].distance, results[1].distance, rtol=0, atol=1e-6)


@pytest.mark.parametrize("candidates", [None, 60])
@pytest.mark.parametrize("narrow", [torch.float16, torch.bfloat16])
def test_features_in_half_precision_are_compared_as_what_they_are(engine, narrow, candidates):
    """Cosines near 1, whose differences half precision does not see, decide."""
    generator = generator_of(21)
    patches = unit_vectors(generator, 40, 9, 12).to(narrow)
    captions = random_captions(generator, 60, 7, 12)
    captions = Bags(captions.features.to(narrow), captions.offsets)
    images, texts = (1 + 0.1 * torch.randn(n, 64, generator=generator) for n in (40, 60))
    globals_ = {"images": normalize(images).to(narrow), "texts": normalize(texts).to(narrow)}
    options = {"global_weight": 0.9, "candidates": candidates, "backend": engine}
    found = nearest_captions(patches, captions, **globals_, **options)
    wide = Bags(captions.features.float(), captions.offsets)
    globals_ = {name: features.float() for name, features in globals_.items()}
    expected = nearest_captions(patches.float(), wide, **globals_, **options)
    assert torch.equal(found.index, expected.index)
    assert torch.allclose(found.distance, expected.distance, rtol=0, atol=1e-5)


def test_all_captions_alike(engine):
    words = unit_vectors(generator_of(7), 1, 5, 12)
    pool = Bags.pack(words.expand(300, -1, -1), torch.ones(300, 5, dtype=torch.bool))
    found = nearest_captions(unit_vectors(generator_of(8), 2, 9, 12), pool, backend=engine)
    assert found.index.tolist() == [0, 0]


def test_near_ties_are_decided_in_float64(engine):
    """Captions that differ by less than float32 computes distances to."""
    generator = generator_of(9)
    patches = unit_vectors(generator, 1, 9, 12)
    words = unit_vectors(generator, 1, 5, 12)
    away = torch.randn(1, 5, 12, generator=generator)
    steps = torch.tensor([4.0, 2, 1, 3])[:, None, None] * 2e-5
    nearer = words - steps * away * torch.sign((away * patches.mean(1)).sum())
    pool = Bags.pack(nearer, torch.ones(4, 5, dtype=torch.bool))
    expected = reference_distances(patches, pool, 0.05)
    assert np.ptp(expected) < 1e-3
    found = nearest_captions(patches, pool, tolerance=1e-3, backend=engine)
    assert found.index.tolist() == expected.argmin(1).tolist()


def test_equal_patches_and_words(engine):
    """A constant cost: every plan costs the same."""
    ones = torch.zeros(1, 6, 4)
    ones[..., 0] = 1
    words = normalize(torch.tensor([[1.0, 1, 0, 0]])).repeat(3, 1)
    found = pair_distances(ones, Bags(words, torch.tensor([0, 3])), backend=engine)
    assert found.item() == pytest.approx(1 - 0.5**0.5, abs=1e-6)


def test_zero_vectors_cost_one(engine):
    patches = torch.zeros(1, 6, 4)
    captions = Bags(torch.eye(4), torch.tensor([0, 4]))
    assert pair_distances(patches, captions, backend=engine).item() == pytest.approx(1, abs=1e-6)


def test_small_epsilon_approaches_the_unregularised_cost(engine):
    """The scaling of float32, and at 2e-4 of float64, underflows."""
    generator = generator_of(10)
    words = unit_vectors(generator, 1, 6, 5)
    patches = words[:, torch.randperm(6, generator=generator)]
    captions = Bags.pack(words, torch.ones(1, 6, dtype=torch.bool))
    for epsilon in (2e-3, 2e-4):
        found = pair_distances(patches, captions, epsilon=epsilon, backend=engine)
        assert found.item() == pytest.approx(0, abs=1e-5)


def test_stopping_early_is_reported(engine):
    generator = generator_of(11)
    patches = unit_vectors(generator, 2, 9, 12, spread=0.2)
    captions = random_captions(generator, 5, 7, 12, spread=0.2)
    found = nearest_captions(
        patches, captions, epsilon=0.01, tolerance=1e-6, max_iterations=2, backend=engine
    )
    assert found.stats.unconverged > 0


def test_empty_captions_are_never_chosen(engine):
    generator = generator_of(12)
    patches = unit_vectors(generator, 2, 9, 12)
    word = -patches.mean(1)[:1]
    pool = Bags(normalize(word), torch.tensor([0, 0, 1, 1]))
    found = nearest_captions(patches, pool, backend=engine)
    assert found.index.tolist() == [1, 1]
    assert found.stats.pairs == 2
    own = pair_distances(patches, pool.select(torch.tensor([0, 1])), backend=engine)
    assert own.isinf().tolist() == [True, False]


@pytest.mark.parametrize("candidates", [None, 3])
@pytest.mark.parametrize("captions", [0, 4])
def test_no_caption_with_a_word(engine, captions, candidates):
    pool = Bags(torch.zeros(0, 12), torch.zeros(captions + 1, dtype=torch.int64))
    patches = unit_vectors(generator_of(13), 2, 9, 12)
    found = nearest_captions(patches, pool, candidates=candidates, backend=engine)
    assert found.index.tolist() == [-1, -1]
    assert found.distance.isinf().all()


def test_no_images(engine):
    captions = random_captions(generator_of(14), 5, 7, 12)
    assert nearest_captions(torch.zeros(0, 9, 12), captions, backend=engine).index.shape == (0,)


def test_approximate_search_is_exact_among_its_candidates(engine):
    generator = generator_of(15)
    patches = unit_vectors(generator, 6, 9, 12)
    captions = random_captions(generator, 80, 7, 12)
    images, texts = (normalize(torch.randn(n, 6, generator=generator)) for n in (6, 80))
    found = nearest_captions(
        patches, captions, images=images, texts=texts, candidates=10, backend=engine
    )
    brute = all_distances(patches, captions, engine, tolerance=1e-6)
    allowed = (images @ texts.T).topk(10).indices
    best = allowed.gather(1, brute.gather(1, allowed).argmin(1, keepdim=True))
    assert torch.equal(found.index[:, None], best)


@PER_ENGINE
@given(seed=SEEDS, among=st.integers(1, 12))
def test_candidates_can_be_given(engine, seed, among):
    """Repeats are allowed, and captions without a word are never chosen."""
    generator = generator_of(seed)
    patches = unit_vectors(generator, 4, 9, 12)
    captions = random_captions(generator, 10, 7, 12)
    pool = Bags(captions.features, torch.cat([captions.offsets, captions.offsets[-1:]]))
    rows = torch.randint(11, (4, among), generator=generator)
    found = nearest_captions(patches, pool, candidates=rows, backend=engine)
    brute = all_distances(patches, pool, engine, precise=True)
    least, place = brute.gather(1, rows).min(1)
    best = rows.gather(1, place[:, None]).squeeze(1).where(least.isfinite(), -1)
    assert torch.equal(found.index, best)
    assert torch.allclose(found.distance.double(), least, rtol=0, atol=1e-5)
    assert found.stats.pairs <= (rows < 10).sum()


def test_recall_is_the_share_of_true_winners_found(engine):
    generator = generator_of(16)
    patches = unit_vectors(generator, 10, 9, 12)
    captions = random_captions(generator, 40, 7, 12)
    exact, found = (
        nearest_captions(patches, captions, candidates=count, backend=engine).index
        for count in (None, 5)
    )
    recall = approximate_recall(patches, captions, 5, backend=engine)
    assert recall == pytest.approx((exact == found).float().mean().item())
    assert approximate_recall(patches, captions, 40, backend=engine) == 1
