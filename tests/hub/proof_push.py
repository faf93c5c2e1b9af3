"""A process that publishes: run by `test_round_trip`, prints what happened as JSON.

python proof_push.py RUN REPORT
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

import datasets
from huggingface_hub import DatasetCard, DatasetCardData, HfApi
from huggingface_hub.utils import _http
from PIL import Image

from shieldclip.cli import main


def shieldclip(*arguments: str) -> dict[str, Any]:
    """Run the command line; what it printed and how it ended."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["shieldclip", *arguments]
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return {"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}


def push_pictures() -> None:
    """Four pictures of two classes, and a card."""
    pictures = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "red", "blue")]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["banana", "plum"])}
    )
    rows = datasets.Dataset.from_dict({"image": pictures, "label": [0, 1, 0, 1]}, features=features)
    rows.push_to_hub("org/pictures", split="test")
    card = DatasetCard.load("org/pictures", repo_type="dataset")
    card.data.license = "mit"
    assert isinstance(card.data, DatasetCardData)
    card.push_to_hub("org/pictures")


def proof(run: str, report: str) -> dict[str, Any]:
    """Broken off, again, unchanged, to a branch; then without the right to."""
    _http.time.sleep = lambda _: None  # between retries
    push = ("push", run, "org/tiny", "--report", report)
    found = {
        "broken": shieldclip(*push, "--license", "mit"),
        "again": shieldclip(*push, "--license", "mit"),
        "unchanged": shieldclip(*push, "--license", "mit"),
    }
    api = HfApi()
    api.create_tag("org/tiny", tag="v1")
    api.create_branch("org/tiny", branch="next")
    old = {"path_or_fileobj": b"old weights", "path_in_repo": "pytorch_model.bin"}
    api.upload_file(repo_id="org/tiny", revision="next", **old)
    found["branch"] = shieldclip(*push, "--license", "apache-2.0", "--revision", "next")
    push_pictures()
    found["foreign"] = shieldclip("push", run, "elsewhere/tiny", "--report", report)
    os.environ["HF_TOKEN"] = "hf_revoked"
    found["revoked"] = shieldclip(*push)
    del os.environ["HF_TOKEN"]
    found["no_token"] = shieldclip(*push)
    return found


if __name__ == "__main__":
    print(json.dumps(proof(*sys.argv[1:])))
