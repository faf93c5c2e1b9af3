from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from shieldclip.cli.models import models
from shieldclip.encoders import load_encoder, zoo, zoo_models
from shieldclip.errors import ShieldCLIPError, UntrustworthyWarning

CARD = {
    "name": "tiny-badnet",
    "backdoored": True,
    "description": "A tiny random CLIP.",
    "warning": "Backdoored on purpose.",
}


@pytest.fixture
def tiny_zoo(tmp_path, monkeypatch, tiny_clip_folder):
    folder = tmp_path / CARD["name"]
    shutil.copytree(tiny_clip_folder, folder)
    (folder / "zoo.json").write_text(json.dumps(CARD))
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    return tmp_path


def test_lists_what_is_there(tiny_zoo):
    (model,) = zoo_models()
    assert model.path == tiny_zoo / CARD["name"]
    assert (model.name, model.backdoored, model.description, model.warning) == tuple(CARD.values())


def test_loads_by_name_and_passes_the_warning_on(tiny_zoo, tiny_clip_folder):
    with pytest.warns(UntrustworthyWarning, match="shieldclip:tiny-badnet: Backdoored on purpose"):
        encoder = load_encoder("shieldclip:tiny-badnet", device="cpu")
    assert encoder.name == "shieldclip:tiny-badnet"
    assert encoder.warning == CARD["warning"]
    assert encoder.fingerprint == load_encoder(str(tiny_clip_folder), device="cpu").fingerprint


def test_an_unknown_name_is_corrected(tiny_zoo):
    with pytest.raises(ShieldCLIPError, match="Did you mean 'tiny-badnet'"):
        load_encoder("shieldclip:tiny-badnets")


def test_a_bad_card_is_named(tiny_zoo):
    (tiny_zoo / CARD["name"] / "zoo.json").write_text("{}")
    with pytest.raises(ShieldCLIPError, match=r"zoo\.json"):
        zoo_models()


def test_command_prints_exactly_four_fields(tiny_zoo):
    result = CliRunner().invoke(models, ["--json"])
    assert result.exit_code == 0
    expected = {
        "name": "tiny-badnet",
        "path": str(tiny_zoo / "tiny-badnet"),
        "backdoored": True,
        "description": "A tiny random CLIP.",
    }
    assert json.loads(result.output) == [expected]


def test_command_prints_a_table(tiny_zoo):
    output = CliRunner().invoke(models).output
    assert "tiny-badnet" in output
    assert "A tiny random CLIP." in output
    assert "BACKDOORED" in output
    assert "WARNING. Backdoored on purpose." in " ".join(output.split())
