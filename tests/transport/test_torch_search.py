"""The streaming search in torch finds what solving every pair in float64 finds."""

import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from shieldclip.transport.bags import Bags
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings
from shieldclip.transport.sinkhorn import solve
from shieldclip.transport.streaming import BlockSize
from shieldclip.transport.torch_search import TorchBlock, pair_distances, search

EPSILONS = [0.02, 0.05, 0.1, 0.2]


def make_images(generator, images=4, patches=6, width=8):
    return normalize(torch.randn(images, patches, width, generator=generator), dim=-1)


def make_captions(generator, sizes, width=8):
    words = normalize(torch.randn(sum(sizes), width, generator=generator), dim=-1)
    return Bags(words, torch.tensor([0, *sizes]).cumsum(0))


def make_problem(seed, captions=20, longest=5, images=4):
    """Clustered features with empty captions, and with captions that repeat others."""
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(0, longest + 1, (captions,), generator=generator).tolist()
    bags = make_captions(generator, sizes)
    order = torch.randint(0, captions, (captions,), generator=generator)
    order[::3] = torch.arange(0, captions, 3)
    return make_images(generator, images), bags.select(order)


def brute_force(patches, captions, epsilon, given=None, weight=0.0):
    """Every pair in float64."""
    tokens, mask = captions.pad()
    cost = 1 - torch.einsum("ipd,nld->inpl", patches.double(), tokens.double())
    columns = mask.expand(len(patches), -1, -1).flatten(0, 1)
    solution = solve(
        cost.flatten(0, 1),
        columns=columns,
        epsilon=epsilon,
        tolerance=1e-9,
        max_iterations=10_000,
    )
    distance = solution.linear.view(len(patches), -1)
    if given is None:
        return distance
    cosine = given.images.double() @ given.texts.double().T
    both = (1 - weight) * distance + weight * (1 - cosine)
    return both.where(distance.isfinite(), torch.inf)


def first_of_the_nearest(distance):
    tied = distance <= distance.min(1, keepdim=True).values + 1e-9
    return tied.int().argmax(1)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), epsilon=st.sampled_from(EPSILONS))
def test_search_is_brute_force(seed, epsilon):
    patches, captions = make_problem(seed)
    distance = brute_force(patches, captions, epsilon)
    found = search(patches, captions, SearchSettings(epsilon=epsilon))
    assert found.index.tolist() == first_of_the_nearest(distance).tolist()
    torch.testing.assert_close(found.distance.double(), distance.min(1).values, atol=1e-5, rtol=0)
    stats = found.stats
    assert stats.pairs == 4 * int((captions.sizes > 0).sum()) == stats.solved + stats.pruned


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    weight=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    images=st.integers(1, 3),
    entries=st.integers(1, 2000),
    count=st.integers(0, 4),
)
def test_blocks_and_seeds_do_not_change_the_result(seed, weight, images, entries, count):
    patches, captions = make_problem(seed)
    generator = torch.Generator().manual_seed(seed)
    given_ = GlobalFeatures(
        normalize(torch.randn(4, 3, generator=generator), dim=1),
        normalize(torch.randn(20, 3, generator=generator), dim=1),
    )
    chosen = SearchSettings(global_weight=weight)
    seeds = torch.stack([torch.randperm(20, generator=generator)[:count] for _ in range(4)])
    found = search(patches, captions, chosen, given_, seeds, BlockSize(images, entries))
    distance = brute_force(patches, captions, 0.05, given_, weight)
    assert found.index.tolist() == first_of_the_nearest(distance).tolist()
    assert found.stats.pairs == found.stats.solved + found.stats.pruned


def test_pool_order_changes_the_index_only():
    patches, captions = make_problem(3)
    order = torch.randperm(len(captions), generator=torch.Generator().manual_seed(0))
    first = search(patches, captions, SearchSettings())
    second = search(patches, captions.select(order), SearchSettings())
    torch.testing.assert_close(first.distance, second.distance, atol=1e-7, rtol=0)
    tokens = [captions.select(index[None]).features for index in first.index]
    again = [captions.select(order[index][None]).features for index in second.index]
    assert all(torch.equal(left, right) for left, right in zip(tokens, again, strict=True))


def test_of_many_equal_captions_the_first_wins():
    generator = torch.Generator().manual_seed(0)
    patches = make_images(generator, images=2)
    captions = make_captions(generator, [3]).select(torch.zeros(300, dtype=torch.int64))
    found = search(patches, captions, SearchSettings(), size=BlockSize(2, 4000))
    assert found.index.tolist() == [0, 0]


def test_near_ties_are_decided_in_float64():
    """Pairs of captions whose distances differ by less than float32 at this tolerance sees."""
    generator = torch.Generator().manual_seed(1)
    patches = make_images(generator, images=8)
    words = make_captions(generator, [4]).features
    nudged = normalize(words + 1e-6 * torch.randn(40, 4, 8, generator=generator), dim=-1)
    captions = Bags.pack(nudged, torch.ones(40, 4, dtype=torch.bool))
    distance = brute_force(patches, captions, 0.05)
    found = search(patches, captions, SearchSettings())
    assert found.index.tolist() == first_of_the_nearest(distance).tolist()
    assert len(set(found.index.tolist())) > 1


def test_pruning_leaves_few_problems():
    generator = torch.Generator().manual_seed(0)
    concepts = normalize(torch.randn(200, 16, generator=generator), dim=1)
    captions = Bags.pack(concepts[:, None].expand(-1, 3, -1), torch.ones(200, 3, dtype=torch.bool))
    noise = 0.05 * torch.randn(10, 6, 16, generator=generator)
    patches = normalize(concepts[:10, None] + noise, dim=-1)
    found = search(patches, captions, SearchSettings())
    assert found.index.tolist() == list(range(10))
    assert found.stats.solved <= 20


@pytest.mark.parametrize("sizes", [[], [0], [0, 0, 0]])
def test_nothing_to_find(sizes):
    patches = make_images(torch.Generator().manual_seed(0))
    captions = Bags(torch.empty(0, 8), torch.tensor([0, *sizes]).cumsum(0))
    found = search(patches, captions, SearchSettings())
    assert found.index.tolist() == [-1] * 4
    assert found.distance.tolist() == [torch.inf] * 4
    assert found.stats.pairs == found.stats.solved == 0


def test_no_images():
    captions = make_captions(torch.Generator().manual_seed(0), [2, 3])
    found = search(torch.empty(0, 6, 8), captions, SearchSettings())
    assert len(found.index) == len(found.distance) == 0


def test_unconverged_problems_are_counted_and_their_error_is_allowed_for():
    patches, captions = make_problem(5)
    found = search(patches, captions, SearchSettings(max_iterations=5, epsilon=0.02))
    assert found.stats.unconverged > 0
    distance = brute_force(patches, captions, 0.02)
    chosen = distance[torch.arange(4), found.index]
    assert (chosen - distance.min(1).values).max() < 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_bounds_do_not_exceed_the_transport_cost(seed):
    patches, captions = make_problem(seed, images=2)
    block = TorchBlock(patches, captions, SearchSettings())
    bounds = block.bounds()
    tokens, mask = captions.pad()
    for image in range(2):
        for caption in range(len(captions)):
            words = tokens[caption][mask[caption]].double()
            if len(words) == 0:
                assert bounds[image, caption] == torch.inf
                continue
            cost = (1 - patches[image].double() @ words.T).numpy()
            assert bounds[image, caption] <= ot.emd2([], [], cost) + 1e-6


def test_pair_distances():
    patches, captions = make_problem(7, captions=4)
    expected = brute_force(patches, captions, 0.05).diagonal()
    found = pair_distances(patches, captions, SearchSettings())
    torch.testing.assert_close(found.double(), expected, atol=1e-7, rtol=0)
