"""Centred distances, against plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import ImageFeatures, MatchSettings, TextFeatures
from shieldclip.matching.centring import Middle
from shieldclip.matching.search import find_nearest, own_distances
from shieldclip.transport import Bags

PICTURES, PATCHES, TEXTS, WIDTH = 12, 4, 9, 8


def features(seed: int) -> tuple[ImageFeatures, TextFeatures]:
    draw = torch.Generator().manual_seed(seed)
    patches = normalize(torch.randn(PICTURES, PATCHES, WIDTH, generator=draw), dim=-1)
    sizes = torch.randint(1, 5, (TEXTS,), generator=draw)
    words = normalize(torch.randn(int(sizes.sum()), WIDTH, generator=draw), dim=-1)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    whole = normalize(torch.randn(PICTURES + TEXTS, WIDTH, generator=draw), dim=-1)
    texts = TextFeatures(Bags(words, offsets), whole[PICTURES:])
    return ImageFeatures(patches, whole[:PICTURES]), texts


def all_distances(
    images: ImageFeatures, texts: TextFeatures, settings: MatchSettings, middle: Middle | None
) -> np.ndarray:
    """``[I, N]``, pair by pair."""
    picture = torch.arange(PICTURES).repeat_interleave(TEXTS)
    each = texts.take(torch.arange(TEXTS).repeat(PICTURES))
    return own_distances(images, picture, each, settings, middle).view(PICTURES, TEXTS).numpy()


def near_all(images: ImageFeatures, texts: TextFeatures, alpha: float) -> np.ndarray:
    """Of every caption, by its definition ``[N]``."""
    patch, whole = images.patches.numpy().mean((0, 1)), images.whole.numpy().mean(0)
    bounds = texts.words.offsets.numpy()
    words = np.stack([texts.words.features.numpy()[a:b].mean(0) for a, b in pairwise(bounds)])
    return alpha * texts.whole.numpy() @ whole + (1 - alpha) * words @ patch


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 999), st.floats(0.1, 1), st.floats(0, 1))
def test_what_is_near_every_picture_counts_against_a_caption(seed, alpha, centring):
    images, texts = features(seed)
    rule = MatchSettings(alpha=alpha, centring=centring)
    plain = all_distances(images, texts, rule, None)
    centred = all_distances(images, texts, rule, Middle.of([images]))
    expected = plain + centring * near_all(images, texts, alpha)
    np.testing.assert_allclose(centred, expected, atol=2e-5)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 999), st.sampled_from([None, TEXTS]), st.sampled_from(["auto", "torch"]))
def test_the_search_finds_the_smallest_centred_distance(seed, candidates, backend):
    images, texts = features(seed)
    rule = MatchSettings(centring=1.0, candidates=candidates, backend=backend)
    middle = Middle.of([images])
    found = find_nearest(images, [(torch.arange(TEXTS), texts)], rule, middle)
    expected = all_distances(images, texts, rule, middle)
    np.testing.assert_allclose(found.distance.numpy(), expected.min(1), atol=2e-5)
    taken = expected[np.arange(PICTURES), found.text.numpy()]
    np.testing.assert_allclose(taken, expected.min(1), atol=2e-5)


def test_the_middle_of_parts_is_that_of_all():
    images, _ = features(0)
    parts = [
        images.take(torch.arange(5)),
        images.take(torch.arange(0)),
        images.take(torch.arange(5, 12)),
    ]
    for one, other in zip(
        vars(Middle.of(parts)).values(), vars(Middle.of([images])).values(), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("settings", [{"centring": 1.5}, {"centring": 1.0, "alpha": 0.0}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ShieldCLIPError, match="Expected"):
        MatchSettings(**settings)
