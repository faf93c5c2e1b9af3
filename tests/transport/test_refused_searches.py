"""What searches refuse, and what they do without the compiled kernel."""

from __future__ import annotations

import pytest
import torch
from transport_parts import generator_of, random_captions, unit_vectors

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport import Bags, nearest_captions, pair_distances
from shieldclip.transport.native import library


def spoiled(features: torch.Tensor, *place: int) -> torch.Tensor:
    features = features.clone()
    features[place] = torch.nan
    return features


def test_features_that_are_not_finite_are_named():
    generator = generator_of(17)
    patches = unit_vectors(generator, 3, 9, 12)
    captions = random_captions(generator, 5, 7, 12)
    globals_ = {"images": torch.ones(3, 2), "texts": torch.ones(5, 2)}
    with pytest.raises(ShieldCLIPError, match="image 2"):
        nearest_captions(spoiled(patches, 2, 0, 1), captions)
    word = int(captions.offsets[3])
    with pytest.raises(ShieldCLIPError, match="caption 3"):
        nearest_captions(patches, Bags(spoiled(captions.features, word), captions.offsets))
    with pytest.raises(ShieldCLIPError, match="caption 4"):
        nearest_captions(patches, captions, **globals_ | {"texts": spoiled(torch.ones(5, 2), 4)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, "epsilon above 0"),
        ({"tolerance": float("nan")}, "tolerance above 0"),
        ({"global_weight": 1.5}, "between 0"),
        ({"global_weight": 0.5}, "neither"),
        ({"candidates": 0}, "at least 1 candidate"),
        ({"candidates": torch.zeros(2, 4, dtype=torch.int64)}, r"candidates \[3, K\]"),
        ({"candidates": torch.full((3, 1), 5)}, "candidates from 0 to 4, got 5 to 5"),
        ({"images": torch.ones(3, 2)}, "images only"),
        ({"images": torch.ones(2, 2), "texts": torch.ones(5, 2)}, r"\[3, G\]"),
        ({"backend": "nativ"}, "'native'"),
        ({"backend": "triton"}, "GPU"),
    ],
)
def test_options_out_of_range(options, message):
    generator = generator_of(18)
    patches, captions = unit_vectors(generator, 3, 9, 12), random_captions(generator, 5, 7, 12)
    with pytest.raises(ShieldCLIPError, match=message):
        nearest_captions(patches, captions, **options)


def test_shapes_that_do_not_fit():
    captions = random_captions(generator_of(19), 5, 7, 12)
    with pytest.raises(ShieldCLIPError, match="13 and 12"):
        nearest_captions(torch.zeros(3, 9, 13), captions)
    with pytest.raises(ShieldCLIPError, match=r"\[I, P, D\]"):
        nearest_captions(torch.zeros(3, 12), captions)
    with pytest.raises(ShieldCLIPError, match="5 for 3"):
        pair_distances(torch.zeros(3, 9, 12), captions)


def test_without_the_kernel_torch_is_used_and_said_once(monkeypatch):
    from shieldclip.transport import backends

    monkeypatch.setattr(library, "available", lambda: False)
    backends._say_slow.cache_clear()
    patches, captions = (
        unit_vectors(generator_of(20), 2, 9, 12),
        Bags(torch.eye(12), torch.tensor([0, 12])),
    )
    with pytest.warns(RuntimeWarning, match="C\\+\\+ compiler") as warnings:
        for _ in range(2):
            assert nearest_captions(patches, captions).index.tolist() == [0, 0]
    assert len(warnings) == 1


def test_forcing_an_unknown_instruction_set(monkeypatch):
    if not library.available():
        pytest.skip("the kernel is not compiled here")
    monkeypatch.setenv(library.VARIABLE, "avx9")
    with pytest.raises(ShieldCLIPError, match="'avx9'"):
        nearest_captions(torch.ones(1, 2, 3), Bags(torch.ones(1, 3), torch.tensor([0, 1])))
