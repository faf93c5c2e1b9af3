"""A stranger's checkpoint may hold code; none of it runs on any way of loading."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError


class Payload:
    """Unpickling it creates a file: harmless, and proof that code ran."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "code-ran"
    yield path
    assert not path.exists()


def refused(spec: str) -> str:
    with pytest.raises(ShieldCLIPError) as caught:
        load_encoder(spec, device="cpu")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_payload_would_run(tmp_path):
    trace = tmp_path / "proof"
    torch.save({"x": Payload(trace)}, tmp_path / "evil.pt")
    torch.load(tmp_path / "evil.pt", weights_only=False)
    assert trace.exists()


def test_transformers_bin(tiny_clip_folder, tmp_path, trace):
    folder = shutil.copytree(tiny_clip_folder, tmp_path / "clip")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({**weights, "x": Payload(trace)}, folder / "pytorch_model.bin")
    assert "never run" in refused(str(folder))


def test_open_clip_bin(tiny_open_clip_folder, tmp_path, trace):
    folder = shutil.copytree(tiny_open_clip_folder, tmp_path / "open")
    (folder / "open_clip_model.safetensors").unlink()
    torch.save({"state_dict": Payload(trace)}, folder / "open_clip_pytorch_model.bin")
    assert "never run" in refused(str(folder))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_state_dict(tmp_path, trace, suffix, tiny_open_clip_arch):
    path = tmp_path / f"evil{suffix}"
    torch.save({"state_dict": Payload(trace)}, path)
    assert "never run" in refused(f"state-dict:tiny:{path}")


@pytest.mark.parametrize("suffix", [".pkl", ".npz", ".ckpt", ".jit"])
def test_other_suffixes_are_not_opened(tmp_path, trace, suffix, tiny_open_clip_arch):
    path = tmp_path / f"evil{suffix}"
    torch.save(Payload(trace), path)
    assert "not read" in refused(f"state-dict:tiny:{path}")


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript(tmp_path, tiny_open_clip_arch):
    path = tmp_path / "script.pt"
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))
    assert "TorchScript" in refused(f"state-dict:tiny:{path}")


def test_safetensors_beside_a_pickle_win(tiny_clip_folder, tmp_path, trace):
    folder = shutil.copytree(tiny_clip_folder, tmp_path / "clip")
    torch.save({"x": Payload(trace)}, folder / "pytorch_model.bin")
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert load_encoder(str(folder), device="cpu").fingerprint == expected


@pytest.mark.parametrize(
    "config", ["config.json", "preprocessor_config.json", "tokenizer_config.json"]
)
def test_code_named_by_auto_map(tiny_clip_folder, tmp_path, trace, config):
    folder = shutil.copytree(tiny_clip_folder, tmp_path / "clip")
    (folder / "evil.py").write_text(f"import pathlib\npathlib.Path({str(trace)!r}).touch()\n")
    path = folder / config
    record = json.loads(path.read_text())
    names = {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}
    tokenizer = {"AutoTokenizer": ["evil.Evil", None], "AutoImageProcessor": "evil.Evil"}
    path.write_text(json.dumps({**record, "auto_map": {**names, **tokenizer}}))
    assert "auto_map" in refused(str(folder))


def test_open_clip_text_tower_with_auto_map(
    tiny_open_clip_config, tiny_open_clip_folder, tmp_path, trace
):
    folder = shutil.copytree(tiny_open_clip_folder, tmp_path / "open")
    tower = tmp_path / "tower"
    tower.mkdir()
    (tower / "evil.py").write_text(f"import pathlib\npathlib.Path({str(trace)!r}).touch()\n")
    (tower / "config.json").write_text('{"auto_map": {"AutoConfig": "evil.Evil"}}')
    config = json.loads(json.dumps(tiny_open_clip_config))
    config["model_cfg"]["text_cfg"] = {"hf_model_name": str(tower), "context_length": 16}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert "auto_map" in refused(str(folder))


def test_open_clip_tokenizer_cannot_ask_for_trust(
    tiny_open_clip_config, tiny_open_clip_folder, tmp_path, trace
):
    folder = shutil.copytree(tiny_open_clip_folder, tmp_path / "open")
    (folder / "evil.py").write_text(f"import pathlib\npathlib.Path({str(trace)!r}).touch()\n")
    (folder / "tokenizer_config.json").write_text(
        '{"auto_map": {"AutoTokenizer": ["evil.Evil", null]}}'
    )
    config = json.loads(json.dumps(tiny_open_clip_config))
    config["model_cfg"]["text_cfg"].update(
        hf_tokenizer_name="anything", tokenizer_kwargs={"trust_remote_code": True}
    )
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert "tokenizer" in refused(str(folder))


def test_a_shard_cannot_lie_outside_the_folder(tiny_clip_folder, tmp_path, trace):
    outside = tmp_path / "model-00001-of-00001.safetensors"
    folder = shutil.copytree(tiny_clip_folder, tmp_path / "clip")
    shutil.move(folder / "model.safetensors", outside)
    index = {"weight_map": {"logit_scale": f"../{outside.name}"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "Missing shards" in refused(str(folder))
