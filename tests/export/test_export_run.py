"""What is exported, what is refused, and that nothing half-written stays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from shieldclip.cli import cli
from shieldclip.encoders.card import read_card
from shieldclip.errors import ShieldCLIPError, UntrustworthyWarning
from shieldclip.export import FORMATS, export


def test_command_says_how_well_it_agrees(tiny_clip_folder, tmp_path):
    arguments = ["export", str(tiny_clip_folder), "--to", "transformers", "--out"]
    result = CliRunner().invoke(cli, [*arguments, str(tmp_path / "new" / "clip")])
    assert result.exit_code == 0, result.output
    assert "features differ by at most 0.0e+00" in result.output
    assert (tmp_path / "new" / "clip" / "config.json").exists()


def test_a_backdoored_checkpoint_stays_marked(tiny_clip_folder, tmp_path):
    source = tmp_path / "bad"
    shutil.copytree(tiny_clip_folder, source)
    (source / "README.md").write_text("---\ntags: [backdoored]\nshieldclip: {warning: Bad}\n---\n")
    with pytest.warns(UntrustworthyWarning, match="Bad"):
        export(str(source), "open-clip", tmp_path / "out")
    assert read_card(tmp_path / "out").warning == "Bad"
    assert str(tmp_path) not in (tmp_path / "out" / "README.md").read_text()


def test_a_result_that_differs_is_refused_and_removed(tiny_clip_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "transformers", replace(FORMATS["transformers"], tolerance=-1))
    with pytest.raises(ShieldCLIPError, match="nothing was written"):
        export(str(tiny_clip_folder), "transformers", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(tiny_clip_folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ShieldCLIPError, match="new or empty folder"):
        export(str(tiny_clip_folder), "transformers", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_unknown_format(tiny_clip_folder, tmp_path):
    with pytest.raises(ShieldCLIPError, match="Did you mean 'onnx'"):
        export(str(tiny_clip_folder), "onxx", tmp_path / "out")


def test_other_models_are_refused(tiny_siglip_folder, tiny_open_clip_folder, tmp_path):
    resnet = tmp_path / "resnet"
    resnet.mkdir()
    record = {"model_type": "shieldclip", "image_tower": "resnet50"}
    (resnet / "config.json").write_text(json.dumps(record))
    refused = {
        tiny_siglip_folder: "model_type 'siglip'",
        tiny_open_clip_folder: "one of open_clip",
        resnet: "image tower 'resnet50'",
    }
    for folder, said in refused.items():
        with pytest.raises(ShieldCLIPError, match=said):
            export(str(folder), "transformers", tmp_path / "out")
    with pytest.raises(ShieldCLIPError, match="an open_clip checkpoint"):
        export("open_clip:ViT-B-32/laion2b_s34b_b79k", "onnx", tmp_path / "out")
