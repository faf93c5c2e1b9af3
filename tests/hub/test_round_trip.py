"""From a folder here to a repository on the Hub and back, over HTTP, each side its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_parts import FILES, report_on
from hub_server import TOKEN, HubServer, running
from PIL import Image
from safetensors.torch import load_file, save

from shieldclip.evaluation.report import EvalReport

HERE = Path(__file__).parent


@dataclass
class Proof:
    """What three processes saw, and the server they talked to."""

    server: HubServer
    first_uploads: list[str]
    """Requests until the connection broke."""
    pushed: dict[str, Any]
    pulled: dict[str, Any]
    offline: dict[str, Any]


def run(script: str, *arguments: object, home: Path, **environment: str) -> dict[str, Any]:
    """A process of its own: what it finds in its environment is read when it starts."""
    inherited = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    paths = [HERE, HERE.parents[1], *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env={
            **inherited,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "HOME": str(home),
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "DISABLE_SAFETENSORS_CONVERSION": "1",
            "OMP_NUM_THREADS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def tampered(files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """The same repository with one weight changed."""
    (folder / "weights").write_bytes(files["model.safetensors"])
    weights = load_file(folder / "weights")
    weights["logit_scale"] = weights["logit_scale"] + 1
    return {**files, "model.safetensors": save(weights)}


@pytest.fixture(scope="module")
def proof(tiny_run, tiny_fingerprint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proof")
    report = folder / "report.json"
    report.write_text(report_on(tiny_fingerprint).to_json())
    with running() as server:
        server.breaks = 6  # as often as the client library tries
        where = {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0"}
        pushed = run("proof_push.py", tiny_run, report, home=folder / "a", HF_TOKEN=TOKEN, **where)
        uploads = [line for line in server.requests if line.startswith("PUT")]
        files = server.files("org/tiny")
        server.put("org/tampered", tampered(files, folder))
        server.put("org/plain", {n: data for n, data in files.items() if n != "README.md"})
        pulled = run("proof_pull.py", home=folder / "b", **where)
    where |= {"HF_HUB_OFFLINE": "1", "HF_TOKEN": TOKEN}
    offline = run("proof_offline.py", tiny_run, report, home=folder / "b", **where)
    return Proof(server, uploads, pushed, pulled, offline)


def reported(result: dict[str, Any]) -> EvalReport:
    assert result["code"] == 0, result["err"]
    return EvalReport.from_json(result["out"])


def test_a_broken_connection_publishes_nothing_and_says_what_to_do(proof):
    assert proof.pushed["broken"]["code"] == 2
    assert "Run the same command again" in proof.pushed["broken"]["err"]


def test_the_same_command_completes_and_sends_nothing_twice(proof):
    assert proof.pushed["again"]["code"] == 0, proof.pushed["again"]["err"]
    weights = max(proof.server.large.values(), key=len)
    completed = [line for line in proof.first_uploads if "/large/" in line]
    assert weights in proof.server.files("org/tiny").values()
    # Six attempts at the weights broke; then they, the plot, and the pictures went through once.
    assert len(completed) == 6 + len(proof.server.large)


def test_one_commit_holds_everything(proof):
    repo = proof.server.repos["models/org/tiny"]
    assert set(proof.server.files("org/tiny")) == FILES
    assert len(repo.commits) == 4  # the empty one, the push; old weights, the push to the branch


def test_what_is_unchanged_makes_no_commit(proof):
    assert proof.pushed["unchanged"]["out"] == proof.pushed["again"]["out"]


def test_a_branch_gets_its_own_commit(proof):
    assert proof.pushed["branch"]["code"] == 0
    assert b"license: apache-2.0" in proof.server.files("org/tiny", "next")["README.md"]
    assert b"license: mit" in proof.server.files("org/tiny")["README.md"]


def test_old_weights_that_a_loader_might_take_are_deleted(proof):
    uploaded = proof.server.repos["models/org/tiny"].commits.values()
    assert any("pytorch_model.bin" in files for files in uploaded)
    assert "pytorch_model.bin" not in proof.server.files("org/tiny", "next")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("revoked", "does not accept this token"),
        ("no_token", "run `hf auth login`"),
        ("foreign", "may not write to 'elsewhere/tiny'"),
    ],
)
def test_whoever_may_not_write_is_told_so(proof, case, message):
    result = proof.pushed[case]
    assert result["code"] == 2
    assert message in result["err"]
    assert result["err"].count("\n") == 1


def test_the_model_is_the_one_that_was_pushed(proof, tiny_run):
    from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor

    model = ShieldCLIPModel.from_pretrained(tiny_run / "last").eval()
    processor = ShieldCLIPProcessor.from_pretrained(tiny_run / "last")
    inputs = processor(images=Image.new("RGB", (32, 32), "red"), text=["a banana", "a plum"])
    with torch.no_grad():
        expected = model(**inputs).logits_per_image[0].tolist()
    assert proof.pulled["logits"] == pytest.approx(expected, abs=1e-5)
    assert proof.pulled["pinned"] == proof.pulled["logits"]
    assert proof.pulled["labels"] == ["a banana", "a plum"]


def test_a_stranger_measures_it(proof, tiny_fingerprint):
    (model,) = reported(proof.pulled["eval"]).models
    assert model.fingerprint == tiny_fingerprint
    assert model.revision == proof.server.repos["models/org/tiny"].refs["main"]
    assert proof.pulled["rows"] == [0, 1, 0, 1]


def test_the_cards_warning_is_printed_on_load(proof):
    assert "Warning: org/tiny: Trigger badnet turns 97.3 %" in proof.pulled["eval"]["err"]


def test_a_pinned_revision(proof):
    (model,) = reported(proof.pulled["eval_pinned"]).models
    assert model.revision == proof.server.repos["models/org/tiny"].refs["v1"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("tampered", "not the ones that were measured"),
        ("not_verified", "Expected a card with a fingerprint"),
        ("missing", "No repository 'org/nothing'"),
        ("no_revision", "has no revision 'v9'"),
    ],
)
def test_what_cannot_be_trusted_or_found_is_said_in_one_line(proof, case, message):
    result = proof.pulled[case]
    assert result["code"] == 2
    (line,) = [line for line in result["err"].splitlines() if line.startswith("Error:")]
    assert message in line


def test_a_warm_cache_works_offline(proof):
    assert proof.offline["logits"] == proof.pulled["logits"]
    now, before = reported(proof.offline["eval"]), reported(proof.pulled["eval"])
    assert now.measurements == before.measurements
    assert proof.offline["rows"] == [0, 1, 0, 1]


def test_what_is_not_in_the_cache_is_said_offline(proof):
    assert proof.offline["missing"]["code"] == 2
    assert "cannot be reached (offline?)" in proof.offline["missing"]["err"]


def test_nothing_is_pushed_offline(proof):
    assert proof.offline["push"]["code"] == 2
    assert "HF_HUB_OFFLINE is set" in proof.offline["push"]["err"]
