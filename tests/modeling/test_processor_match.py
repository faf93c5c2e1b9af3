"""`ShieldCLIPProcessor.match`: matching in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import MatchSettings, Pairs, match_features
from shieldclip.matching.features import encode_images, encode_texts
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor

CAPTIONS = [["a photo of a banana."], ["the red apple", "two guitars"], ["a blue wall"], ["a cat"]]


@pytest.fixture(scope="module")
def processor(tiny_clip_folder):
    return ShieldCLIPProcessor.from_pretrained(tiny_clip_folder)


@pytest.fixture(scope="module")
def model(tiny_clip_folder):
    return ShieldCLIPModel.from_clip(tiny_clip_folder).eval()


@pytest.fixture(scope="module")
def pictures():
    noise = np.random.default_rng(0)
    return [
        Image.fromarray(noise.integers(256, size=(32, 32, 3), dtype=np.uint8)) for _ in CAPTIONS
    ]


def test_equals_the_matching_of_an_encoder(model, processor, pictures, tiny_clip_folder):
    table = processor.match(model, pictures, CAPTIONS, batch_size=3, alpha=0.3)
    encoder, pairs = load_encoder(str(tiny_clip_folder), device="cpu"), Pairs.of(CAPTIONS)
    pixels = torch.stack([encoder.preprocess(picture) for picture in pictures])
    images, texts = encode_images(encoder, pixels, range(4)), encode_texts(encoder, pairs.texts)
    expected = match_features(pairs, images, texts, MatchSettings(alpha=0.3)).table
    assert table.schema == expected.schema
    assert table["new_caption"].to_pylist() == expected["new_caption"].to_pylist()
    assert table["row"].to_pylist() == [0, 1, 1, 2, 3]
    for column in ("own_distance", "best_distance", "gap"):
        np.testing.assert_allclose(table[column], expected[column], atol=3e-5)


def test_result_does_not_depend_on_batches(model, processor, pictures):
    one, many = (
        processor.match(model, pictures, CAPTIONS, batch_size=size)["own_distance"].to_numpy()
        for size in (1, 64)
    )
    np.testing.assert_allclose(one, many, atol=2e-5)


def test_what_does_not_fit_is_refused(model, processor, pictures, tiny_clip_folder):
    with pytest.raises(ShieldCLIPError, match="each of 4 pictures, got 3"):
        processor.match(model, pictures, CAPTIONS[:3])
    with pytest.raises(ShieldCLIPError, match="row 2"):
        processor.match(model, pictures, [*CAPTIONS[:2], [" "], ["a cat"]])
    with pytest.raises(ShieldCLIPError, match="from_clip"):
        processor.match(CLIPModel.from_pretrained(tiny_clip_folder), pictures, CAPTIONS)
