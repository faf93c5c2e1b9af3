"""open_clip's own formats and towers, and agreement with transformers on the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
import timm
import torch
from open_clip.timm_model import TimmModel
from safetensors.torch import save_file

from shieldclip.encoders import load_encoder
from shieldclip.encoders.open_clip_patches import patch_features
from shieldclip.errors import ShieldCLIPError

TEXTS = ["a photo of a banana.", "two  RED apples!", ""]
BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}


@pytest.fixture
def images():
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def converted(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """open_clip's names to those of transformers' CLIPModel."""
    plain = {
        "logit_scale": "logit_scale",
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    }
    norms = {
        "visual.ln_pre": "vision_model.pre_layrnorm",
        "visual.ln_post": "vision_model.post_layernorm",
        "ln_final": "text_model.final_layer_norm",
    }
    result = {new: weights[old] for old, new in plain.items()}
    result["visual_projection.weight"] = weights["visual.proj"].T
    result["text_projection.weight"] = weights["text_projection"].T
    towers = {"visual.transformer": "vision_model", "transformer": "text_model"}
    for kind in ("weight", "bias"):
        for old, new in norms.items():
            result[f"{new}.{kind}"] = weights[f"{old}.{kind}"]
        for source, target in towers.items():
            for layer in range(2):
                old, new = f"{source}.resblocks.{layer}", f"{target}.encoder.layers.{layer}"
                for theirs, ours in BLOCK.items():
                    result[f"{new}.{ours}.{kind}"] = weights[f"{old}.{theirs}.{kind}"]
                parts = weights[f"{old}.attn.in_proj_{kind}"].chunk(3)
                for name, part in zip("qkv", parts, strict=True):
                    result[f"{new}.self_attn.{name}_proj.{kind}"] = part
    return {name: tensor.contiguous() for name, tensor in result.items()}


@pytest.fixture
def twin_folder(tiny_open_clip_weights, tmp_path):
    """The tiny open_clip model as a transformers folder, tokenizer included."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPTokenizer

    shared = {"num_hidden_layers": 2, "hidden_act": "quick_gelu"}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    text = {"hidden_size": 24, "intermediate_size": 48, "num_attention_heads": 2}
    CLIPConfig(
        text_config={
            **shared,
            **text,
            "max_position_embeddings": tiny_open_clip_weights["positional_embedding"].shape[0],
            "eos_token_id": 49407,
        },
        vision_config={**shared, **vision, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    ).save_pretrained(tmp_path)
    save_file(converted(tiny_open_clip_weights), tmp_path / "model.safetensors")
    theirs = open_clip.SimpleTokenizer()
    special = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    CLIPTokenizer(
        vocab={special.get(piece, piece): index for piece, index in theirs.encoder.items()},
        merges=list(theirs.bpe_ranks),
    ).save_pretrained(tmp_path)
    CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(tmp_path)
    return tmp_path


def test_the_same_weights_in_both_libraries_give_the_same_features(
    tiny_open_clip_folder, twin_folder, images
):
    one = load_encoder(str(tiny_open_clip_folder), device="cpu")
    other = load_encoder(str(twin_folder), device="cpu")
    close = {"atol": 1e-5, "rtol": 0}
    assert one.logit_scale == pytest.approx(other.logit_scale)
    torch.testing.assert_close(one.encode_image(images), other.encode_image(images), **close)
    torch.testing.assert_close(one.patch_features(images), other.patch_features(images), **close)
    torch.testing.assert_close(one.encode_text(TEXTS), other.encode_text(TEXTS), **close)
    (tokens, words), (their_tokens, their_words) = (e.token_features(TEXTS) for e in (one, other))
    length = their_words.shape[1]  # transformers pads to the longest text, open_clip to the context
    assert torch.equal(words[:, :length], their_words)
    assert not words[:, length:].any()
    torch.testing.assert_close(tokens[:, :length][their_words], their_tokens[their_words], **close)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors"])
@pytest.mark.parametrize("form", ["plain", "module.", "nested"])
def test_state_dicts(
    suffix, form, tiny_open_clip_arch, tiny_open_clip_weights, tiny_open_clip_folder, tmp_path
):
    weights = tiny_open_clip_weights
    if form != "plain":
        weights = {f"module.{name}": tensor for name, tensor in weights.items()}
    path = tmp_path / f"epoch_64{suffix}"
    if suffix == ".safetensors":
        save_file(weights, path)
    elif form == "nested":
        torch.save({"epoch": 64, "name": "a run", "state_dict": weights, "optimizer": {}}, path)
    else:
        torch.save(weights, path)
    encoder = load_encoder(f"state-dict:{tiny_open_clip_arch}:{path}", device="cpu")
    folder = load_encoder(str(tiny_open_clip_folder), device="cpu")
    assert encoder.library == "open_clip"
    assert encoder.fingerprint == folder.fingerprint


def test_a_tag_brings_its_activation_and_statistics(
    tiny_open_clip_config, tiny_open_clip_folder, tiny_open_clip_arch, images, monkeypatch
):
    architecture = {**tiny_open_clip_config["model_cfg"], "quick_gelu": False}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, tiny_open_clip_arch, architecture)
    tag = {
        **tiny_open_clip_config["preprocess_cfg"],
        "file": str(tiny_open_clip_folder / "open_clip_model.safetensors"),
        "quick_gelu": True,
    }
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, tiny_open_clip_arch, {"a_tag": tag})
    tagged = load_encoder(f"open_clip:{tiny_open_clip_arch}/a_tag", device="cpu")
    folder = load_encoder(str(tiny_open_clip_folder), device="cpu")
    torch.testing.assert_close(tagged.encode_image(images), folder.encode_image(images))


def test_a_tag_that_cannot_be_downloaded(monkeypatch):
    def fail(_: object) -> str:
        raise FileNotFoundError("no connection")

    monkeypatch.setattr(open_clip, "download_pretrained", fail)
    with pytest.raises(ShieldCLIPError, match="cannot be downloaded"):
        load_encoder("open_clip:ViT-B-32/laion2b_s34b_b79k", device="cpu")


def test_loading_leaves_the_registry_of_architectures_alone(tiny_open_clip_folder):
    before = open_clip.list_models()
    load_encoder(str(tiny_open_clip_folder), device="cpu")
    assert open_clip.list_models() == before


def save_folder(folder: Path, config: dict, model: torch.nn.Module) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return str(folder)


def test_resnet_patches_go_through_the_value_path(tiny_open_clip_config, tmp_path):
    config = json.loads(json.dumps(tiny_open_clip_config))
    vision = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}
    config["model_cfg"]["vision_cfg"] = vision
    torch.manual_seed(0)
    model = open_clip.CLIP(**config["model_cfg"]).eval()
    encoder = load_encoder(save_folder(tmp_path, config, model), device="cpu")
    images = torch.rand(2, 3, 64, 64)
    patches = encoder.patch_features(images)
    assert patches.shape == (2, 4, 16)
    # With attention on one location only, the pooled feature is that location's patch feature.
    pool = encoder.model.visual.attnpool
    pixels = (images - encoder._mean) / encoder._std
    tower = encoder.model.visual
    grid = tower.layer4(tower.layer3(tower.layer2(tower.layer1(tower.stem(pixels)))))
    values = pool.v_proj(grid.flatten(2).mT + pool.positional_embedding[1:])
    expected = torch.nn.functional.normalize(pool.c_proj(values), dim=-1)
    torch.testing.assert_close(patches, expected, atol=1e-6, rtol=0)


def test_a_timm_patch_alone_is_the_whole_picture():
    torch.manual_seed(0)
    visual = TimmModel("test_vit", embed_dim=16, pool="", proj="linear").eval()
    visual.trunk = timm.models.vision_transformer.VisionTransformer(
        img_size=16,
        patch_size=16,
        embed_dim=64,
        depth=1,
        num_heads=2,
        class_token=False,
        global_pool="map",
        num_classes=0,
    ).eval()
    pixels = torch.rand(2, 3, 16, 16)
    patches = patch_features(visual, pixels)
    assert patches.shape == (2, 1, 16)
    torch.testing.assert_close(patches[:, 0], visual(pixels), atol=1e-6, rtol=0)


def test_timm_tower_and_custom_text(tiny_open_clip_config, tmp_path):
    config = json.loads(json.dumps(tiny_open_clip_config))
    config["model_cfg"].update(
        custom_text=True,
        init_logit_bias=-10,
        embed_dim=64,
        vision_cfg={
            "image_size": 160,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
        },
    )
    torch.manual_seed(0)
    build = {key: value for key, value in config["model_cfg"].items() if key != "custom_text"}
    model = open_clip.CustomTextCLIP(**build)
    encoder = load_encoder(save_folder(tmp_path, config, model), device="cpu")
    images = torch.rand(2, 3, 160, 160)
    assert encoder.encode_image(images).shape == (2, 64)
    tokens, words = encoder.token_features(TEXTS)
    assert tokens.shape == (*words.shape, 64)
    with pytest.raises(ShieldCLIPError, match="Patch features are not available"):
        encoder.patch_features(images)
