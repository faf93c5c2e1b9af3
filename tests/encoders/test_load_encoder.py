"""What every encoder promises, whatever format it was loaded from."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError
from shieldclip.types import Encoder

FOLDERS = ["tiny_clip_folder", "tiny_siglip_folder", "tiny_open_clip_folder"]
TEXTS = ["a photo of a banana.", "", "the red apple left of two guitars on a blue wall " * 4]


@pytest.fixture(params=FOLDERS)
def encoder(request):
    return load_encoder(str(request.getfixturevalue(request.param)), device="cpu")


@pytest.fixture
def images():
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def copy_with(folder, tmp_path, weights, name="model.safetensors"):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").unlink()
    save_file(weights, tmp_path / name) if name.endswith("s") else torch.save(
        weights, tmp_path / name
    )
    return str(tmp_path)


def test_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.library == ("open_clip" if "open-clip" in encoder.name else "transformers")
    assert encoder.image_size == 32
    assert encoder.device == "cpu"
    assert encoder.revision == encoder.warning == ""
    assert encoder.parameters == sum(p.numel() for p in encoder.model.parameters())


def test_features_are_unit_float32(encoder, images):
    tokens, words = encoder.token_features(TEXTS)
    features = [
        encoder.encode_image(images),
        encoder.encode_text(TEXTS),
        encoder.patch_features(images),
        tokens,
    ]
    width = features[0].shape[1]
    shapes = [(5, width), (3, width), (5, 4, width), (*words.shape, width)]
    assert [tuple(feature.shape) for feature in features] == shapes
    for feature in features:
        assert feature.dtype == torch.float32
        torch.testing.assert_close(feature.norm(dim=-1), torch.ones(feature.shape[:-1]))


def test_batches_do_not_matter(encoder, images):
    for encode in (encoder.encode_image, encoder.patch_features):
        alone = torch.cat([encode(image[None]) for image in images])
        torch.testing.assert_close(encode(images), alone, atol=1e-5, rtol=0)
    alone = torch.cat([encoder.encode_text([text]) for text in TEXTS])
    torch.testing.assert_close(encoder.encode_text(TEXTS), alone, atol=1e-5, rtol=0)


def test_a_list_longer_than_one_pass_keeps_its_order(encoder):
    many = [f"{number} bananas" for number in range(300)]
    features = encoder.encode_text(many)
    torch.testing.assert_close(features[290:], encoder.encode_text(many[290:]), atol=1e-5, rtol=0)


def test_word_mask_drops_start_end_and_padding(encoder):
    _, words = encoder.token_features(TEXTS)
    assert not words[1].any()
    first = words[0].nonzero().flatten()
    assert 0 < len(first) < words.shape[1] - 1
    assert first.diff().eq(1).all()
    assert not words[2, -1]


def test_gradient_reaches_pixels_and_no_parameter(encoder, images):
    for encode in (encoder.encode_image, encoder.patch_features):
        pixels = images.clone().requires_grad_()
        encode(pixels).sum(dim=-1).square().sum().backward()
        assert pixels.grad.abs().flatten(1).amax(dim=1).min() > 0
    assert all(parameter.grad is None for parameter in encoder.model.parameters())


def test_a_siglip_patch_alone_is_the_whole_picture(tiny_siglip_folder):
    encoder = load_encoder(str(tiny_siglip_folder), device="cpu")
    vision = encoder.model.vision_model
    vision.embeddings.position_embedding = torch.nn.Embedding(1, 32)
    vision.embeddings.position_ids = torch.zeros(1, 1, dtype=torch.long)
    vision.embeddings.image_size = encoder.image_size = 16
    images = torch.rand(2, 3, 16, 16)
    patches = encoder.patch_features(images)
    torch.testing.assert_close(patches[:, 0], encoder.encode_image(images), atol=1e-6, rtol=0)


def test_pixels_are_normalised_inside(encoder, images):
    raw = encoder._image_features((images - encoder._mean) / encoder._std)
    expected = raw / raw.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(encoder.encode_image(images), expected)


@pytest.mark.parametrize("folder", FOLDERS)
def test_bfloat16_stays_close_and_leaves_as_float32(folder, images, request):
    path = str(request.getfixturevalue(folder))
    full = load_encoder(path, device="cpu")
    half = load_encoder(path, device="cpu", dtype="bfloat16")
    assert next(half.model.parameters()).dtype == torch.bfloat16
    assert half.fingerprint == full.fingerprint
    for one, other in (
        (half.encode_image(images), full.encode_image(images)),
        (half.encode_text(TEXTS), full.encode_text(TEXTS)),
        (half.patch_features(images), full.patch_features(images)),
        (half.token_features(TEXTS)[0], full.token_features(TEXTS)[0]),
    ):
        assert one.dtype == torch.float32
        assert (one * other).sum(dim=-1).min() > 0.99


@pytest.mark.parametrize("bad", [(3, 32, 32), (1, 3, 31, 32), (1, 1, 32, 32)])
def test_other_shapes_are_refused(encoder, bad):
    with pytest.raises(ShieldCLIPError, match=r"\[B, 3, 32, 32\]"):
        encoder.encode_image(torch.zeros(bad))


def test_bytes_are_refused(encoder):
    with pytest.raises(ShieldCLIPError, match="divide by 255"):
        encoder.encode_image(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))


@pytest.mark.parametrize("texts", [[], "a photo"])
def test_no_list_of_texts_is_refused(encoder, texts):
    with pytest.raises(ShieldCLIPError, match="at least one text"):
        encoder.encode_text(texts)


@pytest.mark.parametrize("folder", ["tiny_clip_folder", "tiny_open_clip_folder"])
def test_an_end_token_in_a_text_does_not_end_it(folder, request):
    encoder = load_encoder(str(request.getfixturevalue(folder)), device="cpu")
    ends = ["<|endoftext|>", "<end_of_text>", "&lt;end_of_text&gt;", "<start_of_text>"]
    for end in ends:
        one, other = encoder.encode_text([f"a {end} cat", f"a {end} dog"])
        assert not torch.allclose(one, other, atol=1e-3)
        ids = encoder._tokenize([f"a {end} cat"]).ids[0].tolist()
        eos = max(ids)
        assert ids.count(eos) == 1


def test_fp16_file_has_the_fingerprint_of_its_values(tiny_clip_folder, tmp_path):
    weights = load_file(tiny_clip_folder / "model.safetensors")
    half = {name: tensor.half() for name, tensor in weights.items()}
    widened = {name: tensor.float() for name, tensor in half.items()}
    one = load_encoder(copy_with(tiny_clip_folder, tmp_path / "half", half), device="cpu")
    again = load_encoder(one.name, device="cpu")
    other = load_encoder(copy_with(tiny_clip_folder, tmp_path / "full", widened), device="cpu")
    assert one.fingerprint == again.fingerprint == other.fingerprint
    assert next(one.model.parameters()).dtype == torch.float32
    assert one.fingerprint != load_encoder(str(tiny_clip_folder), device="cpu").fingerprint


def test_pickled_and_sharded_weights_equal_the_single_safetensors(tiny_clip_folder, tmp_path):
    from transformers import CLIPModel

    weights = load_file(tiny_clip_folder / "model.safetensors")
    pickled = copy_with(tiny_clip_folder, tmp_path / "bin", weights, "pytorch_model.bin")
    sharded = tmp_path / "shards"
    shutil.copytree(tiny_clip_folder, sharded)
    (sharded / "model.safetensors").unlink()
    CLIPModel.from_pretrained(tiny_clip_folder).save_pretrained(sharded, max_shard_size="100KB")
    assert len(list(sharded.glob("model-*-of-*.safetensors"))) > 1
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    for folder in (pickled, str(sharded)):
        assert load_encoder(folder, device="cpu").fingerprint == expected


def test_a_shieldclip_folder_loads_as_the_clip_inside(tiny_clip_folder, tmp_path):
    weights = load_file(tiny_clip_folder / "model.safetensors")
    extended = {**weights, "knowledge_head.weight": torch.ones(2, 2)}
    folder = copy_with(tiny_clip_folder, tmp_path, extended)
    config = json.loads((tmp_path / "config.json").read_text())
    config.update(model_type="shieldclip", architectures=["ShieldCLIPModel"], knowledge_heads=2)
    (tmp_path / "config.json").write_text(json.dumps(config))
    plain = load_encoder(str(tiny_clip_folder), device="cpu")
    assert load_encoder(folder, device="cpu").fingerprint == plain.fingerprint


def test_a_folder_of_both_libraries(tiny_clip_folder, tiny_open_clip_folder, tmp_path):
    shutil.copytree(tiny_clip_folder, tmp_path, dirs_exist_ok=True)
    shutil.copytree(tiny_open_clip_folder, tmp_path, dirs_exist_ok=True)
    assert load_encoder(str(tmp_path), device="cpu").library == "transformers"
    assert load_encoder(f"local-dir:{tmp_path}", device="cpu").library == "open_clip"


def test_loading_is_silent_and_leaves_logging_alone(tiny_clip_folder, tiny_open_clip_folder, capfd):
    import logging

    before = (list(logging.root.handlers), logging.root.manager.disable)
    for folder in (tiny_clip_folder, tiny_open_clip_folder):
        load_encoder(str(folder), device="cpu")
    assert capfd.readouterr() == ("", "")
    assert (list(logging.root.handlers), logging.root.manager.disable) == before
