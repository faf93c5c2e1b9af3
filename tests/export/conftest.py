"""A tiny ShieldCLIP in half precision, and its exports, made once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from shieldclip.export import export
from shieldclip.export.source import Source, load_source


@pytest.fixture(scope="session")
def tiny_shield(tmp_path_factory: pytest.TempPathFactory, tiny_clip_folder: Path) -> Path:
    from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor

    folder = tmp_path_factory.mktemp("shield") / "tiny-shield"
    model = ShieldCLIPModel.from_clip(tiny_clip_folder)
    model.to(torch.float16).save_pretrained(folder)
    ShieldCLIPProcessor.from_pretrained(tiny_clip_folder).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_source(tiny_shield: Path) -> Source:
    return load_source(str(tiny_shield))


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory, tiny_shield: Path) -> Any:
    """Format -> folder with that export, made when it is first asked for."""
    parent = tmp_path_factory.mktemp("exports")

    def exported(name: str) -> Path:
        folder = parent / name
        if not folder.exists():
            done = export(str(tiny_shield), name, folder)
            assert done.difference <= done.tolerance
        return folder

    return exported
