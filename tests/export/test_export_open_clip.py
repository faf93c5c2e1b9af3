"""The export to open_clip, judged by open_clip's own functions."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace

import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.testing import assert_close

from shieldclip.encoders import load_encoder
from shieldclip.encoders.preprocessing import Preprocessing
from shieldclip.errors import ShieldCLIPError
from shieldclip.export import export
from shieldclip.export.open_clip_config import _ratio, open_clip_config

PROMPTS = ["a photo of a banana", "Cats, 12 dogs!", "an <|endoftext|> typed", "a b " * 40]


@pytest.fixture(scope="module")
def opened(exports):
    name = f"local-dir:{exports('open-clip')}"
    return *open_clip.create_model_from_pretrained(name), open_clip.get_tokenizer(name)


def test_features_and_logits_are_equal(tiny_source, opened):
    model, _, tokenizer = opened
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    clip = tiny_source.encoder.model
    ids = tiny_source.encoder.tokenizer(PROMPTS).ids
    with torch.no_grad():
        expected = clip(input_ids=ids, pixel_values=pixels)
        image = model.encode_image(pixels, normalize=True)
        text = model.encode_text(tokenizer(PROMPTS), normalize=True)
        logits, _ = model.get_logits(pixels, tokenizer(PROMPTS))
    assert_close(image, expected.image_embeds, atol=1e-5, rtol=0)
    assert_close(text, expected.text_embeds, atol=1e-5, rtol=0)
    assert_close(logits, expected.logits_per_image, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("size", "rounding"),
    [((32, 32), "floor"), ((64, 48), "floor"), ((200, 100), "floor"), ((33, 90), "half-even")],
)
def test_preprocessing_gives_the_same_pixels(tiny_source, opened, size, rounding):
    """The last picture is cut one pixel further, as an odd number of rows is left over."""
    picture = Image.effect_noise(size, 90).convert("RGB")
    steps = replace(tiny_source.preprocessing, crop_rounding=rounding)
    pixels = steps(picture) / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (steps.mean, steps.std))
    assert_close(opened[1](picture), (pixels - mean) / std)


def test_card_is_of_these_weights(exports):
    load_encoder(f"local-dir:{exports('open-clip')}", device="cpu", verify=True)


def test_other_activations_norms_and_widths(tiny_clip_folder, tiny_clip_tokenizer, tmp_path):
    """Everything that the other fixture has by default is something else here."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(1)
    tokenizer = deepcopy(tiny_clip_tokenizer)
    tokenizer.add_tokens(["zebra"])  # so that the end token is not the last one
    common = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-2, "num_hidden_layers": 1}
    model = CLIPModel(
        CLIPConfig(
            text_config=json.loads((tiny_clip_folder / "config.json").read_text())["text_config"]
            | common
            | {"vocab_size": len(tokenizer) + 9, "intermediate_size": 49},
            vision_config={
                **{"hidden_size": 48, "num_attention_heads": 6, "intermediate_size": 37},
                **{"image_size": 24, "patch_size": 8, **common},
            },
            projection_dim=20,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
        model.logit_scale.fill_(1.5)
    folder = tmp_path / "source"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessor(
        size={"height": 24, "width": 24}, do_center_crop=False, resample=2, image_mean=[0.5] * 3
    ).save_pretrained(folder)
    assert export(str(folder), "open-clip", tmp_path / "out").difference < 1e-5
    written = json.loads((tmp_path / "out" / "open_clip_config.json").read_text())
    assert written["model_cfg"]["text_cfg"]["pool_type"] == "eos"
    assert written["preprocess_cfg"]["resize_mode"] == "squash"
    assert written["preprocess_cfg"]["interpolation"] == "bilinear"


@settings(max_examples=200)
@given(st.integers(1, 2000), st.integers(1, 8000))
def test_inner_width_survives_the_division(width: int, inner: int) -> None:
    assert int(width * _ratio(inner, width)) == inner


@pytest.mark.parametrize(
    ("text", "vision", "said"),
    [("relu", "relu", "'relu'"), ("gelu", "quick_gelu", "QuickGELU in both towers")],
)
def test_activations_that_open_clip_lacks(tiny_source, monkeypatch, text, vision, said):
    monkeypatch.setattr(tiny_source.config.text_config, "hidden_act", text)
    monkeypatch.setattr(tiny_source.config.vision_config, "hidden_act", vision)
    with pytest.raises(ShieldCLIPError, match=said):
        open_clip_config(tiny_source)


@pytest.mark.parametrize(
    "other", [{"resize": 40}, {"resample": Image.Resampling.NEAREST}], ids=["crop", "nearest"]
)
def test_preprocessing_that_open_clip_lacks(tiny_source, other):
    steps: Preprocessing = replace(tiny_source.preprocessing, **other)
    with pytest.raises(ShieldCLIPError, match="preprocessing that open_clip has"):
        open_clip_config(replace(tiny_source, preprocessing=steps))
