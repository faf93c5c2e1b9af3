"""Preparing batches, knowledge elements among them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPProcessor

from shieldclip.modeling import ShieldCLIPProcessor


@pytest.fixture(scope="module")
def processor(tiny_clip_folder):
    return ShieldCLIPProcessor.from_pretrained(tiny_clip_folder)


def test_float_pictures_are_not_rescaled_again(processor):
    levels = np.random.default_rng(0).integers(256, size=(32, 32, 3), dtype=np.uint8)
    picture = processor(images=Image.fromarray(levels))["pixel_values"]
    floats = torch.from_numpy(levels).permute(2, 0, 1).float() / 255
    torch.testing.assert_close(processor(images=[floats])["pixel_values"], picture)
    torch.testing.assert_close(processor(images=floats[None])["pixel_values"], picture)


def test_long_captions_are_truncated_and_short_ones_padded(processor):
    batch = processor(text=["red " * 100, "a"])
    assert batch["input_ids"].shape == (2, processor.tokenizer.model_max_length)
    assert batch["attention_mask"].sum(dim=-1).tolist() == [32, 3]


def test_typed_end_token_does_not_end_a_caption(processor):
    ids = processor(text=["a cat <|endoftext|> dog"])["input_ids"][0].tolist()
    assert ids.count(processor.tokenizer.eos_token_id) == 1
    assert ids[-1] == processor.tokenizer.eos_token_id


def test_nor_does_it_once_saved_and_opened_without_this_package(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    plain = CLIPProcessor.from_pretrained(tmp_path)
    ids = plain(text=["a cat <|endoftext|> dog"])["input_ids"][0]
    assert ids.count(plain.tokenizer.eos_token_id) == 1


def test_each_element_is_tokenized_once(processor):
    elements = [["four legs", "tail"], [], ["wings", "tail", "wings"]]
    encoded = processor.encode_elements(elements)
    assert encoded["element_index"].tolist() == [[0, 1], [-1, -1], [2, 1]]
    texts = processor.tokenizer.batch_decode(encoded["element_input_ids"], skip_special_tokens=True)
    assert [text.strip() for text in texts] == ["four legs", "tail", "wings"]
    other = processor.encode_elements([["tail"]])
    assert other["element_keys"].tolist() == [encoded["element_keys"][1].item()]
    assert len(set(encoded["element_keys"].tolist())) == 3


def test_a_batch_without_elements_still_has_a_row(processor):
    encoded = processor.encode_elements([[], []])
    assert encoded["element_input_ids"].shape[0] == 1
    assert encoded["element_index"].shape == (2, 0)
    assert encoded["element_keys"].shape == (1,)


def test_saved_processor_opens_as_both_classes(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    for opener in (CLIPProcessor, ShieldCLIPProcessor):
        loaded = opener.from_pretrained(tmp_path)
        assert type(loaded) is opener
        ids = loaded(text=["a red apple"], return_tensors="pt")["input_ids"]
        assert torch.equal(ids, processor(text=["a red apple"])["input_ids"])
