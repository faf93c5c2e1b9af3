"""The search over a pool in chunks: how the pool is cut changes nothing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from shieldclip.matching import ImageFeatures, MatchSettings, TextFeatures
from shieldclip.matching.centring import Middle
from shieldclip.matching.features import wordless
from shieldclip.matching.search import find_nearest
from shieldclip.transport import Bags

PICTURES, PATCHES, TEXTS, WIDTH = 6, 5, 24, 8
CUTS = st.sets(st.integers(1, TEXTS - 1))
ALL = set(range(1, TEXTS))


def features(seed: int, kinds: int, nudge: float) -> tuple[ImageFeatures, TextFeatures]:
    """Captions of a few kinds; those of one kind are equal, or differ by a nudge."""
    draw = torch.Generator().manual_seed(seed)
    patches, whole, words, texts = (
        normalize(torch.randn(*shape, WIDTH, generator=draw), dim=-1)
        for shape in ((PICTURES, PATCHES), (PICTURES,), (kinds, 4), (kinds,))
    )
    kind = torch.randperm(TEXTS, generator=draw) % kinds
    sizes = torch.randint(0, 5, (kinds, 1), generator=draw)  # some without a word
    moved = words[kind] + nudge * torch.randn(TEXTS, 4, WIDTH, generator=draw)
    moved[::3] = words[kind][::3]
    bags = Bags.pack(normalize(moved, dim=-1), (torch.arange(4) < sizes)[kind])
    return ImageFeatures(patches, whole), TextFeatures(bags, texts[kind])


def cut(texts: TextFeatures, places: set[int]) -> list[tuple[torch.Tensor, TextFeatures]]:
    """Chunks that begin at 0 and at these places; the captions are texts 10, 11, ..."""
    parts = torch.arange(TEXTS).tensor_split(sorted(places))
    return [(10 + part, texts.take(part)) for part in parts]


def assert_cut_changes_nothing(images, texts, rule, places):
    middle = Middle.of([images]) if rule.centring else None
    whole = find_nearest(images, cut(texts, set()), rule, middle)
    found = find_nearest(images, cut(texts, places), rule, middle)
    assert found.text.tolist() == whole.text.tolist()
    torch.testing.assert_close(found.distance, whole.distance, atol=1e-5, rtol=0)
    return found


@pytest.mark.parametrize("backend", ["native", "torch"])
@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 999),
    kinds=st.integers(1, 3),
    nudge=st.sampled_from([0, 1e-6, 1e-4]),
    alpha=st.sampled_from([0, 0.5, 1]),
    places=CUTS | st.just(ALL),
)
@example(seed=0, kinds=1, nudge=1e-6, alpha=0.5, places=ALL)
@example(seed=1, kinds=1, nudge=1e-6, alpha=0.5, places=ALL)
def test_ties_are_decided_as_within_one_search(backend, seed, kinds, nudge, alpha, places):
    """Exact ones by the order of the pool, near ones in float64."""
    rule = MatchSettings(alpha=alpha, backend=backend)
    assert_cut_changes_nothing(*features(seed, kinds, nudge), rule, places)


@pytest.mark.parametrize("backend", ["native", "torch"])
@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 999),
    candidates=st.integers(1, TEXTS + 3),
    centring=st.sampled_from([0, 1]),
    places=CUTS | st.just(ALL),
)
def test_candidates_are_those_of_the_whole_pool(backend, seed, candidates, centring, places):
    rule = MatchSettings(candidates=candidates, centring=centring, backend=backend)
    images, texts = features(seed, TEXTS, 0)
    found = assert_cut_changes_nothing(images, texts, rule, places)
    filled = texts.words.sizes > 0
    assert found.pairs == PICTURES * min(candidates, int(filled.sum()))
    if not centring:
        cosine = (images.whole @ texts.whole.T).masked_fill(~filled, -2)
        best = cosine.topk(min(candidates, int(filled.sum())), dim=1).values[:, -1:]
        assert (cosine.gather(1, found.text[:, None] - 10) >= best - 1e-6).all()


def test_nothing_is_found_where_no_caption_has_a_word():
    images, texts = features(0, 1, 0)
    texts = wordless(texts, TEXTS)
    for candidates in (None, 3):
        found = find_nearest(images, cut(texts, {5}), MatchSettings(candidates=candidates))
        assert found.text.tolist() == [-1] * PICTURES
        assert found.distance.isinf().all()
        assert found.pairs == found.solved == 0
