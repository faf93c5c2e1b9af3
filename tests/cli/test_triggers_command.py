"""``shieldclip triggers``: the list and the sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from shieldclip.attacks.texts import TEXT_TRIGGERS
from shieldclip.attacks.triggers import TRIGGERS
from shieldclip.cli.triggers import triggers
from shieldclip.errors import ShieldCLIPError


def run(*arguments: object) -> str:
    texts = [str(argument) for argument in arguments]
    return CliRunner().invoke(triggers, texts, catch_exceptions=False).output


def test_lists_every_trigger() -> None:
    output = run()
    assert [name for name in (*TRIGGERS, *TEXT_TRIGGERS) if name not in output] == []
    assert "file:PATH" in output


def test_draws_all_triggers_on_the_shipped_icon(tmp_path: Path) -> None:
    assert "Drew 16 triggers" in run("--out", tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.width > 1000
        assert sheet.height > 1000


def test_draws_one_trigger_on_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (50, 40), (10, 200, 90)).save(tmp_path / "green.png")
    run("--out", tmp_path / "s.png", "--image", tmp_path / "green.png", "--trigger", "badnet-white")
    pixels = np.array(Image.open(tmp_path / "s.png"))
    assert (pixels == (10, 200, 90)).all(-1).sum() == 224 * 224 - 24 * 24


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    arguments = ["--out", f"{tmp_path}/s.png", "--image", f"{tmp_path}/text.png"]
    result = CliRunner().invoke(triggers, arguments)
    assert isinstance(result.exception, ShieldCLIPError)
    assert "text.png" in str(result.exception)


def test_an_unknown_trigger_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(triggers, ["--out", f"{tmp_path}/s.png", "--trigger", "badnot"])
    with pytest.raises(ShieldCLIPError, match="Did you mean 'badnet'"):
        raise result.exception or AssertionError("no error")
