"""Loading from a Hub: a small server on this machine answers as the real one does."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "org/tiny"


class Hub(BaseHTTPRequestHandler):
    """``org/tiny`` at one commit; ``org/gated``; nothing else."""

    folder: Path
    downloaded: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).removeprefix("/api/models/").lstrip("/")
        if path.startswith("org/gated"):
            self.refuse(403, "GatedRepo")
        elif not path.startswith(REPO):
            self.refuse(401, "RepoNotFound")
        elif "/revision/" in path and not path.endswith(("/main", COMMIT)):
            self.refuse(404, "RevisionNotFound")
        elif "/tree/" in path:
            self.answer(json.dumps([self.entry(file) for file in sorted(self.folder.iterdir())]))
        elif "/resolve/" in path:
            self.send(self.folder / path.rpartition("/")[2])
        else:
            self.answer(json.dumps({"id": REPO, "sha": COMMIT, "siblings": []}))

    @staticmethod
    def entry(file: Path) -> dict[str, object]:
        data = file.read_bytes()
        oid = hashlib.sha1(data).hexdigest()
        return {"type": "file", "path": file.name, "size": len(data), "oid": oid}

    def send(self, file: Path) -> None:
        data = file.read_bytes()
        if self.command == "GET":
            self.downloaded.append(file.name)
        tag = hashlib.sha1(data).hexdigest()
        self.reply(200, data, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})

    def answer(self, text: str) -> None:
        self.reply(200, text.encode(), {"Content-Type": "application/json"})

    def refuse(self, status: int, code: str) -> None:
        self.reply(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def hub(tiny_clip_folder, tmp_path, monkeypatch):
    Hub.folder = shutil.copytree(tiny_clip_folder, tmp_path / "served")
    Hub.downloaded = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield Hub
    server.shutdown()
    server.server_close()


def refused(spec: str) -> str:
    with pytest.raises(ShieldCLIPError) as caught:
        load_encoder(spec, device="cpu")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_downloads_what_is_needed_and_records_the_commit(hub, tiny_clip_folder):
    torch.save({}, hub.folder / "pytorch_model.bin")
    (hub.folder / "training.log").write_text("not needed")
    encoder = load_encoder(REPO, device="cpu")
    assert encoder.revision == COMMIT
    assert encoder.name == REPO
    assert encoder.fingerprint == load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert "model.safetensors" in hub.downloaded
    assert not {"pytorch_model.bin", "training.log"} & set(hub.downloaded)


def test_shards(hub, tiny_clip_folder):
    from transformers import CLIPModel

    (hub.folder / "model.safetensors").unlink()
    CLIPModel.from_pretrained(tiny_clip_folder).save_pretrained(hub.folder, max_shard_size="100KB")
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert load_encoder(REPO, device="cpu").fingerprint == expected


def test_pickle_only_where_there_is_nothing_else(hub, tiny_clip_folder):
    weights = load_file(hub.folder / "model.safetensors")
    (hub.folder / "model.safetensors").unlink()
    torch.save(weights, hub.folder / "pytorch_model.bin")
    expected = load_encoder(str(tiny_clip_folder), device="cpu").fingerprint
    assert load_encoder(REPO, device="cpu").fingerprint == expected


def test_open_clip_repository(hub, tiny_open_clip_folder):
    for file in hub.folder.iterdir():
        file.unlink()
    shutil.copytree(tiny_open_clip_folder, hub.folder, dirs_exist_ok=True)
    encoder = load_encoder(f"hf-hub:{REPO}@{COMMIT}", device="cpu")
    assert encoder.library == load_encoder(REPO, device="cpu").library == "open_clip"
    assert encoder.revision == COMMIT


def test_cached_offline(hub, monkeypatch):
    first = load_encoder(REPO, device="cpu")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.downloaded.clear()
    again = load_encoder(REPO, device="cpu")
    assert (again.fingerprint, again.revision) == (first.fingerprint, COMMIT)
    assert hub.downloaded == []


def test_not_cached_offline(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "cannot be reached (offline?)" in refused(REPO)


def test_not_cached_and_unreachable(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached (offline?)" in refused(REPO)


def test_no_such_repository(hub):
    assert "No repository 'org/nothing'" in refused("org/nothing")


def test_no_such_revision(hub):
    assert "has no revision 'v9'" in refused(f"{REPO}@v9")


def test_gated(hub):
    assert "accept its terms" in refused("org/gated")


def test_not_a_clip(hub):
    (hub.folder / "config.json").write_text('{"model_type": "bert"}')
    assert "model_type 'bert'" in refused(REPO)


def test_no_weights(hub):
    (hub.folder / "model.safetensors").unlink()
    assert "No weights in" in refused(REPO)
