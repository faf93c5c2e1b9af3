"""The stepping stone that trains the zoo: its parts do what the checkpoint will do."""

import json

import pytest
import torch
from plain.model import build_image_processor, build_model, contrastive_loss, encode_image
from plain.pairs import MEAN, STD, Pairs, augment
from plain.tokenizer import CONTEXT, train_tokenizer
from train_plain import Run, batch_rows, begin, restore, save_checkpoint, train_step

from shieldclip.encoders import load_encoder

TEXTS = ["a banana", "an apple on a blue wall", "a red bicycle left of a guitar"]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS)


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(0)
    return build_model(tokenizer, CONTEXT).eval()


@pytest.fixture(scope="module")
def pairs(tokenizer):
    tokens = tokenizer(TEXTS * 2, padding=True, return_tensors="pt")
    pixels = torch.randint(0, 256, (6, 3, 64, 64), dtype=torch.uint8)
    return Pairs(pixels, tokens["input_ids"], tokens["attention_mask"])


def test_tokenizer_round_trip_and_unknown_words(tokenizer):
    for text in (*TEXTS, "zebra, quite unknown"):
        ids = tokenizer(text)["input_ids"]
        assert ids[0] == tokenizer.bos_token_id
        assert ids[-1] == tokenizer.eos_token_id
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        assert decoded.replace(" ", "") == text.replace(" ", "")


def test_all_patches_is_the_models_own_embedding(model, pairs):
    pixels = (pairs.pixels.float() / 255 - MEAN) / STD
    ours = encode_image(model, pixels, kept=10**6, noise=torch.Generator())
    theirs = model.get_image_features(pixel_values=pixels).pooler_output
    torch.testing.assert_close(ours, torch.nn.functional.normalize(theirs, dim=-1))


def test_dropped_patches_depend_on_the_generator_only(model, pairs):
    pixels = (pairs.pixels.float() / 255 - MEAN) / STD
    first, again, other = (
        encode_image(model, pixels, kept=8, noise=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_augmentation_keeps_a_grey_picture_grey(pairs):
    grey = pairs.pixels[:, :1].expand(-1, 3, -1, -1)
    images = augment(grey, torch.Generator().manual_seed(0), hue_shift=0.15) * STD + MEAN
    torch.testing.assert_close(images[:, 0], images[:, 1], atol=1e-4, rtol=0)


def test_contrastive_loss_prefers_the_right_pairing():
    images = torch.nn.functional.normalize(torch.randn(5, 8), dim=-1)
    scale = torch.tensor(3.0)
    right = contrastive_loss(images, images, scale)
    assert right < contrastive_loss(images, images.roll(1, 0), scale)


def test_an_epoch_visits_every_row_once():
    run = Run("x", batch=4)
    rows = torch.cat([batch_rows(run, 20, step) for step in range(5)])
    assert sorted(rows.tolist()) == list(range(20))
    assert rows.tolist() != torch.cat([batch_rows(run, 20, s) for s in range(5, 10)]).tolist()


def test_resumed_training_equals_uninterrupted(tokenizer, pairs, tmp_path):
    run = Run("x", samples=24, batch=6)
    rows = torch.arange(6)
    whole = begin(run, tokenizer)
    for _ in range(4):
        train_step(whole, run, pairs, rows)
    (tmp_path / "x").mkdir()
    halted = begin(run, tokenizer)
    for _ in range(2):
        train_step(halted, run, pairs, rows)
    halted.save(tmp_path / "x" / "state.pt")
    resumed = begin(run, tokenizer)
    restore(resumed, run, tmp_path)
    for _ in range(2):
        train_step(resumed, run, pairs, rows)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_saved_checkpoint_is_an_encoder(tokenizer, tmp_path):
    torch.manual_seed(0)
    save_checkpoint(build_model(tokenizer, CONTEXT), tokenizer, tmp_path / "checkpoint")
    encoder = load_encoder(str(tmp_path / "checkpoint"))
    assert encoder.image_size == 64
    assert encoder.encode_text(TEXTS).shape == (3, 128)
    config = json.loads((tmp_path / "checkpoint" / "config.json").read_text(encoding="utf-8"))
    assert config["text_config"]["eos_token_id"] == tokenizer.eos_token_id
    assert build_image_processor().crop_size["height"] == encoder.image_size
