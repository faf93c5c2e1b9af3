"""What the kernel proves from cosines in 8 bits and from unfinished plans is true."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor
from torch.nn.functional import normalize
from transport_parts import reference_distance, unit_vectors

from shieldclip.transport.native import library
from shieldclip.transport.native_search import inspect
from shieldclip.transport.search_settings import SearchSettings

PER_KERNEL = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROUNDING = 2e-6
"""Of float32, in sums of products of unit vectors."""


@pytest.fixture(params=library.INSTRUCTIONS)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The instruction set that is forced."""
    if not library.available() or request.param not in library.runnable():
        pytest.skip(f"the kernel was not compiled for {request.param}, or it does not run here")
    monkeypatch.setenv(library.VARIABLE, request.param)
    return str(request.param)


def arbitrary(count: int, width: int) -> st.SearchStrategy[Tensor]:
    entries = st.floats(-1, 1, width=32)
    return arrays(np.float32, (count, width), elements=entries).map(torch.from_numpy)


def spiky(count: int, width: int) -> st.SearchStrategy[Tensor]:
    """One entry of 1; the others lie about the step of eight bits, where all of them are lost."""
    small = st.sampled_from([0.0, 0.5 / 127, 0.499 / 127, 1.5 / 127, 1e-4, -0.5 / 127])
    rest = arrays(np.float32, (count, width), elements=small).map(torch.from_numpy)
    places = st.lists(st.integers(0, width - 1), min_size=count, max_size=count)
    return st.builds(lambda x, at: x.scatter(1, torch.tensor(at)[:, None], 1.0), rest, places)


def alike(count: int, width: int) -> st.SearchStrategy[Tensor]:
    """All of one vector of signs, which a rotation may gather in few entries."""
    signs = st.lists(st.sampled_from([-1.0, 1.0]), min_size=width, max_size=width)
    return signs.map(lambda s: torch.tensor(s).expand(count, -1).contiguous())


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Unit (or zero) patches ``[P, D]`` and words ``[L, D]``."""
    width = draw(st.sampled_from([1, 3, 8, 21, 64]))
    family = draw(st.sampled_from([arbitrary, spiky, alike]))
    patches = draw(family(draw(st.integers(1, 18)), width))
    words = draw(draw(st.sampled_from([family, arbitrary]))(draw(st.integers(1, 7)), width))
    return normalize(patches, dim=1), normalize(words, dim=1)


def exact_cosines(patches: Tensor, words: Tensor) -> Tensor:
    return words.double() @ patches.double().T


@PER_KERNEL
@given(pair=pairs())
def test_no_cosine_is_further_off_than_said(kernel, pair):
    found = inspect(*pair, SearchSettings(), limit=3.0)
    off = (found.cosines.double() - exact_cosines(*pair)).abs().max()
    assert off <= found.most_doubt + ROUNDING


@PER_KERNEL
@given(pair=pairs(), seed=st.integers(0, 1 << 30))
def test_no_plan_costs_further_off_than_said(kernel, pair, seed):
    """Plans that send every patch to few words are the extreme ones."""
    patches, words = pair
    found = inspect(patches, words, SearchSettings(), limit=3.0)
    generator = torch.Generator().manual_seed(seed)
    gap = found.cosines.double() - exact_cosines(patches, words)
    plan = torch.rand(gap.shape, generator=generator, dtype=torch.float64) ** 8 + 1e-9
    for _ in range(300):
        plan /= plan.sum(0, keepdim=True) * len(patches)
        plan /= plan.sum(1, keepdim=True) * len(words)
    unequal = (plan.sum(0) - 1 / len(patches)).abs().sum().item()
    assert abs((plan * gap).sum()) <= found.mean_doubt + ROUNDING + unequal * found.most_doubt


@PER_KERNEL
@given(pair=pairs(), epsilon=st.sampled_from([0.02, 0.05, 0.1, 0.3]))
def test_what_is_excluded_exceeds_the_limit(kernel, pair, epsilon):
    distance = reference_distance(*pair, epsilon)
    found = inspect(*pair, SearchSettings(epsilon), limit=distance + 1e-5)
    assert found.bound <= distance + ROUNDING
    assert not found.exceeds


def test_far_pairs_are_excluded_by_unfinished_plans(kernel):
    """Else the test before this one proves nothing."""
    generator = torch.Generator().manual_seed(0)
    patches = unit_vectors(generator, 49, 64)
    words = unit_vectors(generator, 10, 64)
    distance = reference_distance(patches, words, 0.1)
    found = inspect(patches, words, SearchSettings(0.1), limit=distance - 0.06)
    assert found.bound < distance - 0.06
    assert found.exceeds


def test_few_bits_lose_little_of_features_like_those_of_a_model(kernel):
    """Entries of very different sizes, which the rotation evens out."""
    generator = torch.Generator().manual_seed(1)
    scales = 1 / torch.arange(1, 257).sqrt()
    patches, words = (
        normalize(scales * torch.randn(n, 256, generator=generator), dim=1) for n in (49, 10)
    )
    doubt = inspect(patches, words, SearchSettings(), limit=3.0).mean_doubt
    assert 0.005 < doubt < 0.017 if kernel.endswith("vnni") else doubt == 0
