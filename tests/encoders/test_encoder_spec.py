from __future__ import annotations

import pytest

from shieldclip.encoders.spec import (
    FolderSpec,
    HubSpec,
    StateDictSpec,
    TagSpec,
    ZooSpec,
    parse_spec,
)
from shieldclip.errors import ShieldCLIPError


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("openai/clip-vit-base-patch32", HubSpec("openai/clip-vit-base-patch32")),
        ("org/name@v1.0", HubSpec("org/name", "v1.0")),
        ("org/name@refs/pr/4", HubSpec("org/name", "refs/pr/4")),
        ("hf-hub:org/name", HubSpec("org/name", None, "open_clip")),
        ("open_clip:ViT-B-32/openai", TagSpec("ViT-B-32", "openai")),
        ("shieldclip:icons-clean", ZooSpec("icons-clean")),
    ],
)
def test_names(text, spec):
    assert parse_spec(text) == spec


def test_an_existing_folder_wins_over_a_hub_id(tmp_path, monkeypatch):
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    spec = parse_spec("org/name")
    assert isinstance(spec, FolderSpec)
    assert spec.library is None


def test_files_and_folders(tmp_path):
    file = tmp_path / "a b" / "epoch:64.pt"
    file.parent.mkdir()
    file.touch()
    assert parse_spec(f"state-dict:RN50:{file}") == StateDictSpec("RN50", file)
    assert parse_spec(f"local-dir:{file.parent}") == FolderSpec(file.parent, "open_clip")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("icons-clean", "org/name"),
        ("", "org/name"),
        ("./missing", "No folder"),
        ("../missing/folder", "No folder"),
        ("/missing/folder", "No folder"),
        ("local-dir:/missing", "No folder"),
        ("state-dict:RN50", "state-dict:ARCH:FILE"),
        ("state-dict:RN50:/missing.pt", "No weights file"),
        ("open_clip:ViT-B-32", "open_clip:ARCH/TAG"),
        ("magic:thing", "org/name"),
    ],
)
def test_refusals_are_one_line(text, says):
    with pytest.raises(ShieldCLIPError, match=says) as caught:
        parse_spec(text)
    assert "\n" not in str(caught.value)


def test_a_bare_weights_file_is_told_how_to_be_named(tmp_path):
    file = tmp_path / "model.pt"
    file.touch()
    with pytest.raises(ShieldCLIPError, match="state-dict:ARCH:"):
        parse_spec(str(file))
