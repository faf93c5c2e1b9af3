"""Whatever is wrong with a checkpoint is said in one line that names it."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError

WEIGHTS = "model.safetensors"


def refused(spec: str, **options: str) -> str:
    with pytest.raises(ShieldCLIPError) as caught:
        load_encoder(spec, **{"device": "cpu", **options})
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def clip(tiny_clip_folder, tmp_path):
    return shutil.copytree(tiny_clip_folder, tmp_path / "clip")


@pytest.fixture
def open_folder(tiny_open_clip_folder, tmp_path):
    return shutil.copytree(tiny_open_clip_folder, tmp_path / "open")


def edit(path, **changes):
    record = json.loads(path.read_text())
    for keys, value in changes.items():
        *outer, last = keys.split("__")
        target = record
        for key in outer:
            target = target[key]
        target[last] = value
    path.write_text(json.dumps(record))


def test_an_empty_folder(tmp_path):
    message = refused(str(tmp_path))
    assert "config.json or open_clip_config.json" in message
    assert "no open_clip_config.json in" in refused(f"local-dir:{tmp_path}")


def test_not_a_clip_says_what_it_is(clip):
    edit(clip / "config.json", model_type="bert")
    assert "model_type 'bert'" in refused(str(clip))


def test_config_that_is_not_json(clip):
    (clip / "config.json").write_text("{")
    assert "config.json" in refused(str(clip))


@pytest.mark.parametrize("text", ["[1]", '"clip"', "null"])
def test_config_that_is_not_an_object(clip, text):
    (clip / "config.json").write_text(text)
    assert "JSON object" in refused(str(clip))


def test_config_of_wrong_types(clip):
    edit(clip / "config.json", projection_dim="many")
    assert "Bad configuration" in refused(str(clip))


def test_missing_weights(clip, open_folder):
    (clip / WEIGHTS).unlink()
    assert "model.safetensors or pytorch_model.bin" in refused(str(clip))
    (open_folder / "open_clip_model.safetensors").unlink()
    assert "No weights in" in refused(str(open_folder))


@pytest.mark.parametrize("keep", [0, 5, 100, -100])
def test_truncated_safetensors(clip, open_folder, keep):
    for path in (clip / WEIGHTS, open_folder / "open_clip_model.safetensors"):
        path.write_bytes(path.read_bytes()[:keep])
        assert f"{path} is damaged" in refused(str(path.parent))


@pytest.mark.parametrize("keep", [0, 5, 1000, -100])
def test_truncated_pickle(tmp_path, keep, tiny_open_clip_arch):
    path = tmp_path / "epoch.pt"
    torch.save({"x": torch.rand(1000)}, path)
    path.write_bytes(path.read_bytes()[:keep])
    assert f"{path} is damaged" in refused(f"state-dict:tiny:{path}")


def test_missing_weights_are_never_random(clip):
    weights = load_file(clip / WEIGHTS)
    del weights["visual_projection.weight"]
    save_file(weights, clip / WEIGHTS)
    assert "missing: visual_projection.weight" in refused(str(clip))


def test_weights_of_another_shape(clip):
    edit(clip / "config.json", vision_config__intermediate_size=128)
    assert "of another shape: vision_model.encoder.layers.0.mlp.fc1.bias" in refused(str(clip))


def test_weights_beyond_the_configuration(clip):
    edit(clip / "config.json", text_config__num_hidden_layers=1)
    assert "not in the model: text_model.encoder.layers.1" in refused(str(clip))


def test_position_ids_of_old_checkpoints_are_fine(clip):
    weights = load_file(clip / WEIGHTS)
    weights["text_model.embeddings.position_ids"] = torch.arange(8)[None]
    save_file(weights, clip / WEIGHTS)
    assert load_encoder(str(clip), device="cpu").parameters > 0


def test_missing_shard(clip):
    (clip / WEIGHTS).unlink()
    index = {"weight_map": {"logit_scale": "model-00001-of-00002.safetensors"}}
    (clip / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    assert "model-00001-of-00002.safetensors" in refused(str(clip))


def test_a_pickle_of_something_else(clip, tmp_path, tiny_open_clip_arch):
    (clip / WEIGHTS).unlink()
    torch.save([1, 2], clip / "pytorch_model.bin")
    assert "Expected tensors by name" in refused(str(clip))
    torch.save([1, 2], tmp_path / "list.pt")
    assert "list.pt" in refused(f"state-dict:tiny:{tmp_path / 'list.pt'}")


def test_missing_processor_and_tokenizer(clip):
    for name in ("preprocessor_config.json", "processor_config.json"):
        (clip / name).unlink(missing_ok=True)
    assert "No image processor" in refused(str(clip))


def test_missing_tokenizer(clip):
    for path in clip.glob("tokenizer*"):
        path.unlink()
    assert "tokenizer" in refused(str(clip))


def test_processor_of_another_model(clip):
    edit(clip / "preprocessor_config.json", crop_size={"height": 16, "width": 16})
    assert "makes 16-pixel squares, but the model takes 32" in refused(str(clip))


@pytest.mark.parametrize(
    "change",
    [
        {"do_resize": False},
        {"do_normalize": False},
        {"rescale_factor": 1.0},
        {"crop_size": {"height": 32, "width": 16}},
        {"size": {"height": 32, "width": 16}},
        {"size": {"shortest_edge": 16}},
        {"size": {"shortest_edge": 32, "longest_edge": 64}},
        {"do_center_crop": False},
    ],
)
def test_processors_that_do_something_else(clip, change):
    edit(clip / "preprocessor_config.json", **change)
    assert "is not supported" in refused(str(clip))


@pytest.mark.parametrize("eos", [0, 1, 49407])
def test_end_token_that_model_and_tokenizer_disagree_on(clip, eos):
    edit(clip / "config.json", text_config__eos_token_id=eos)
    assert f"eos_token_id is {eos}" in refused(str(clip))


def test_end_token_2_of_old_configurations_means_the_largest_id(clip, tiny_clip_folder):
    edit(clip / "config.json", text_config__eos_token_id=2)
    one, other = (
        load_encoder(str(folder), device="cpu").encode_text(["a cat", "bananas"])
        for folder in (clip, tiny_clip_folder)
    )
    torch.testing.assert_close(one, other)


def test_tokenizer_larger_than_the_embedding(clip, tiny_clip_tokenizer):
    weights = load_file(clip / WEIGHTS)
    name = "text_model.embeddings.token_embedding.weight"
    weights[name] = weights[name][:-1].clone()
    save_file(weights, clip / WEIGHTS)
    edit(clip / "config.json", text_config__vocab_size=len(weights[name]))
    assert f"has {len(tiny_clip_tokenizer)} tokens" in refused(str(clip))


def test_state_dict_of_another_architecture(tiny_open_clip_arch, tiny_open_clip_weights, tmp_path):
    path = tmp_path / "other.pt"
    deeper = {**tiny_open_clip_weights, "visual.transformer.resblocks.2.ln_1.bias": torch.ones(32)}
    deeper["visual.proj"] = torch.ones(32, 8)
    del deeper["ln_final.weight"]
    torch.save(deeper, path)
    message = refused(f"state-dict:{tiny_open_clip_arch}:{path}")
    assert f"{path} does not hold the weights of tiny" in message
    assert "missing: ln_final.weight" in message
    assert "of another shape: visual.proj" in message
    assert "not in the model: visual.transformer.resblocks.2.ln_1.bias" in message


def test_state_dict_of_another_text_width(tiny_open_clip_arch, tiny_open_clip_weights, tmp_path):
    path = tmp_path / "wide.pt"
    torch.save({**tiny_open_clip_weights, "positional_embedding": torch.ones(32, 48)}, path)
    assert "pos_embed width" in refused(f"state-dict:{tiny_open_clip_arch}:{path}")


def test_open_clip_folder_with_missing_weights(open_folder):
    path = open_folder / "open_clip_model.safetensors"
    weights = load_file(path)
    del weights["visual.proj"]
    save_file(weights, path)
    assert "missing: visual.proj" in refused(str(open_folder))


def test_open_clip_config_without_model(open_folder):
    (open_folder / "open_clip_config.json").write_text("{}")
    assert "model_cfg" in refused(str(open_folder))


def test_open_clip_config_of_another_kind(open_folder):
    edit(open_folder / "open_clip_config.json", model_cfg__vision_cfg={"depth": 3})
    assert "open_clip cannot build" in refused(str(open_folder))


def test_unknown_open_clip_names(tmp_path):
    assert "Did you mean 'ViT-B-32'" in refused("open_clip:ViT-B32/openai")
    assert "Did you mean 'laion2b_s34b_b79k'" in refused("open_clip:ViT-B-32/laion2b_s34b_b79")
    (tmp_path / "x.pt").touch()
    assert "Unknown open_clip architecture 'RN5'" in refused(f"state-dict:RN5:{tmp_path / 'x.pt'}")


def test_activation_mismatch_of_a_tag_is_refused(monkeypatch, tmp_path):
    import open_clip

    monkeypatch.setattr(open_clip, "download_pretrained", lambda _: str(tmp_path / "w.safetensors"))
    tags = open_clip.pretrained._PRETRAINED["ViT-B-32-quickgelu"]
    monkeypatch.setitem(tags, "gelu_tag", {"hf_hub": "org/name/", "quick_gelu": False})
    message = refused("open_clip:ViT-B-32-quickgelu/gelu_tag")
    assert "use open_clip:ViT-B-32/gelu_tag" in message


def test_device_and_dtype(clip):
    assert "Unknown dtype 'int8'" in refused(str(clip), dtype="int8")
    if not torch.cuda.is_available():
        assert "no CUDA device" in refused(str(clip), device="cuda")
