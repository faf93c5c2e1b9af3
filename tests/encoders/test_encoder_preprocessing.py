from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from shieldclip.encoders.hf_processor import load_preprocessing
from shieldclip.encoders.preprocessing import Preprocessing, to_rgb

SIDE = 32
# float32 arithmetic in another order; one gray level is 0.004 before normalisation.
TOLERANCE = 2e-6

pictures = st.builds(
    lambda width, height, seed: Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ),
    width=st.integers(1, 150),
    height=st.integers(1, 150),
    seed=st.integers(0, 2**32 - 1),
)


def preprocessing(**changes) -> Preprocessing:
    values = {
        "resize": SIDE,
        "mode": "shortest",
        "resample": Image.Resampling.BICUBIC,
        "crop": SIDE,
        "crop_rounding": "floor",
        "mean": open_clip.OPENAI_DATASET_MEAN,
        "std": open_clip.OPENAI_DATASET_STD,
    }
    return Preprocessing(**{**values, **changes})


def normalised(own: Preprocessing, picture: Image.Image) -> torch.Tensor:
    mean, std = torch.tensor(own.mean).view(3, 1, 1), torch.tensor(own.std).view(3, 1, 1)
    return (own(picture) / 255 - mean) / std


@settings(max_examples=60, deadline=None)
@given(picture=pictures, resize=st.integers(SIDE, SIDE + 9))
def test_equals_the_clip_processor(picture, resize):
    crop = {"height": SIDE, "width": SIDE}
    processor = CLIPImageProcessorPil(size={"shortest_edge": resize}, crop_size=crop)
    theirs = processor(images=picture, return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(
        normalised(preprocessing(resize=resize), picture), theirs, atol=TOLERANCE, rtol=0
    )


@settings(max_examples=40, deadline=None)
@given(picture=pictures)
def test_equals_the_siglip_processor(picture):
    processor = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    theirs = processor(images=picture, return_tensors="pt")["pixel_values"][0]
    own = preprocessing(mode="squash", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    torch.testing.assert_close(normalised(own, picture), theirs, atol=TOLERANCE, rtol=0)


@settings(max_examples=60, deadline=None)
@given(picture=pictures, mode=st.sampled_from(["shortest", "squash"]))
def test_equals_the_open_clip_transform(picture, mode):
    transform = open_clip.image_transform(SIDE, is_train=False, resize_mode=mode)
    own = preprocessing(mode=mode, crop_rounding="half-even")
    torch.testing.assert_close(normalised(own, picture), transform(picture), atol=TOLERANCE, rtol=0)


def test_the_libraries_crop_differently_and_the_identity_says_so():
    floor, even = preprocessing(), preprocessing(crop_rounding="half-even")
    stripes = np.zeros((SIDE, SIDE + 3, 3), np.uint8)
    stripes[:, ::2] = 255
    picture = Image.fromarray(stripes)
    assert not torch.equal(floor(picture), even(picture))
    assert floor.identity != even.identity


@pytest.mark.parametrize(
    "change",
    [
        {"resize": 40},
        {"mode": "squash"},
        {"resample": Image.Resampling.BILINEAR},
        {"crop": 24},
        {"mode": "squash", "crop": 24},
    ],
)
def test_identity_tells_every_geometry_apart(change):
    assert preprocessing(**change).identity != preprocessing().identity


def test_identity_ignores_statistics_which_act_after_the_pixels():
    assert preprocessing(mean=(0.0, 0.0, 0.0)).identity == preprocessing().identity


def test_transparency_is_laid_on_white():
    layer = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    layer.putpixel((1, 0), (255, 0, 0, 255))
    rgb = to_rgb(layer)
    assert [rgb.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (255, 0, 0)]


def test_a_transparent_palette_colour_is_laid_on_white():
    picture = Image.new("P", (1, 1), 0)
    picture.putpalette([0, 0, 255])
    picture.info["transparency"] = 0
    assert to_rgb(picture).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "RGBA", "I;16"])
def test_every_mode_becomes_three_channels(mode):
    pixels = preprocessing()(Image.new(mode, (40, 50)))
    assert pixels.shape == (3, SIDE, SIDE)
    assert pixels.dtype == torch.uint8


def test_reads_the_processor_of_a_folder(tiny_clip_folder, tiny_siglip_folder):
    assert load_preprocessing(tiny_clip_folder, SIDE) == preprocessing()
    assert load_preprocessing(tiny_siglip_folder, SIDE).identity == "squash 32 bicubic"
