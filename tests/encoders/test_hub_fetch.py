"""Loading from a Hub: a small server on this machine answers as the real one does."""

from __future__ import annotations

import shutil

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError

REPO = "org/tiny"


@pytest.fixture
def served(tiny_clip_folder, tmp_path):
    """A copy that a test may change before it publishes it."""
    return shutil.copytree(tiny_clip_folder, tmp_path / "served")


def refused(spec: str) -> str:
    with pytest.raises(ShieldCLIPError) as caught:
        load_encoder(spec, device="cpu")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_downloads_what_is_needed_and_records_the_commit(hub, served, tiny_clip_folder):
    torch.save({}, served / "pytorch_model.bin")
    (served / "training.log").write_text("not needed")
    commit = hub.put_folder(REPO, served)
    encoder = load_encoder(REPO, device="cpu")
    assert encoder.revision == commit
    assert encoder.name == REPO
    assert encoder.fingerprint == load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert "model.safetensors" in hub.downloads()
    assert not {"pytorch_model.bin", "training.log"} & set(hub.downloads())


def test_shards(hub, served, tiny_clip_folder):
    from transformers import CLIPModel

    (served / "model.safetensors").unlink()
    CLIPModel.from_pretrained(tiny_clip_folder).save_pretrained(served, max_shard_size="100KB")
    hub.put_folder(REPO, served)
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert load_encoder(REPO, device="cpu").fingerprint == expected


def test_pickle_only_where_there_is_nothing_else(hub, served, tiny_clip_folder):
    weights = load_file(served / "model.safetensors")
    (served / "model.safetensors").unlink()
    torch.save(weights, served / "pytorch_model.bin")
    hub.put_folder(REPO, served)
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert load_encoder(REPO, device="cpu").fingerprint == expected


def test_open_clip_repository(hub, tiny_open_clip_folder):
    commit = hub.put_folder(REPO, tiny_open_clip_folder)
    encoder = load_encoder(f"hf-hub:{REPO}@{commit}", device="cpu")
    assert encoder.library == load_encoder(REPO, device="cpu").library == "open_clip"
    assert encoder.revision == commit


def test_cached_offline(hub, served, monkeypatch):
    commit = hub.put_folder(REPO, served)
    first = load_encoder(REPO, device="cpu")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    again = load_encoder(REPO, device="cpu")
    assert (again.fingerprint, again.revision) == (first.fingerprint, commit)
    assert hub.requests == []


def test_not_cached_offline(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "cannot be reached (offline?)" in refused(REPO)


def test_not_cached_and_unreachable(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached (offline?)" in refused(REPO)


def test_no_such_repository(hub):
    assert "No repository 'org/nothing'" in refused("org/nothing")


def test_no_such_revision(hub, served):
    hub.put_folder(REPO, served)
    assert "has no revision 'v9'" in refused(f"{REPO}@v9")


def test_gated(hub):
    hub.gated.add("org/gated")
    assert "accept its terms" in refused("org/gated")


def test_not_a_clip(hub, served):
    (served / "config.json").write_text('{"model_type": "bert"}')
    hub.put_folder(REPO, served)
    assert "model_type 'bert'" in refused(REPO)


def test_no_weights(hub, served):
    (served / "model.safetensors").unlink()
    hub.put_folder(REPO, served)
    assert "No weights in" in refused(REPO)
