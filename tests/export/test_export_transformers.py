"""The export to transformers: a plain CLIP with the same logits to the last bit."""

from __future__ import annotations

import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor, pipeline

from shieldclip.encoders import load_encoder
from shieldclip.modeling import ShieldCLIPModel

PROMPTS = ["a photo of a banana", "cats & dogs", "an <|endoftext|> typed", "a b " * 40]


def test_plain_clip_gives_bit_equal_logits(tiny_shield, exports):
    model, info = CLIPModel.from_pretrained(exports("transformers"), output_loading_info=True)
    assert not any(info.values())
    assert model.config.model_type == "clip" and not hasattr(model.config, "image_tower")
    assert model.dtype is torch.float16
    processor = CLIPProcessor.from_pretrained(exports("transformers"))
    picture = Image.effect_noise((50, 41), 90).convert("RGB")
    batch = processor(
        images=picture, text=PROMPTS, padding=True, truncation=True, return_tensors="pt"
    )
    for dtype in (torch.float16, torch.float32):
        original = ShieldCLIPModel.from_pretrained(tiny_shield, dtype=dtype).eval()
        with torch.no_grad():
            expected = original(**batch).logits_per_image
            got = model.to(dtype).eval()(**batch).logits_per_image
        assert torch.equal(got, expected)


def test_typed_special_tokens_stay_text_without_this_package(exports):
    tokenizer = CLIPProcessor.from_pretrained(exports("transformers")).tokenizer
    ids = tokenizer("an <|endoftext|> typed")["input_ids"]
    assert ids.count(tokenizer.eos_token_id) == 1 and ids[-1] == tokenizer.eos_token_id


def test_pipeline_opens_it(exports):
    classify = pipeline("zero-shot-image-classification", model=str(exports("transformers")))
    assert type(classify.model) is CLIPModel
    found = classify(Image.new("RGB", (40, 32), "yellow"), candidate_labels=["banana", "truck"])
    assert {one["label"] for one in found} == {"banana", "truck"}


def test_weights_keep_their_fingerprint_and_are_verified_by_the_card(tiny_source, exports):
    encoder = load_encoder(str(exports("transformers")), device="cpu", verify=True)
    assert encoder.fingerprint == tiny_source.encoder.fingerprint
