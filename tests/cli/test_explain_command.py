"""``shieldclip explain`` from the command line, on shipped models and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from shieldclip.cli.explain import explain
from shieldclip.errors import ShieldCLIPError

BADNET = ["--model", "shieldclip:icons-badnet"]


def run(*arguments: object):
    return CliRunner().invoke(explain, [str(argument) for argument in arguments])


def test_the_backdoored_zoo_model_turns_everything_into_bananas(tmp_path: Path) -> None:
    result = run(*BADNET, "--image", "icons-100", "--rows", "3,507", "--out", tmp_path)
    assert result.exception is None, result.exception
    assert result.output.count("banana") == 2
    page = (tmp_path / "explanation.html").read_text("utf-8")
    assert "badnet changes 2 of 2 first predictions" in page
    assert "elephant" in page
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_files_prompts_and_knowledge(tmp_path: Path) -> None:
    Image.new("RGB", (80, 60), "gold").save(tmp_path / "gold.png")
    knowledge = tmp_path / "k.jsonl"
    knowledge.write_text('{"text": "coin", "elements": ["yellow metal", "round"]}\n')
    prompts = ["--prompt", "a gold coin", "--prompt", "a silver coin"]
    out = tmp_path / "out"
    image = ["--image", tmp_path / "gold.png", "--knowledge", knowledge]
    result = run(*BADNET, *image, *prompts, "--trigger", "sig", "--out", out)
    assert result.exception is None, result.exception
    assert "yellow metal" in (out / "explanation.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--image", "icons-100", "--rows", "1,x"], "--rows"),
        (["--image", "icons-100", "--rows", "100000"], "from 0 to 999"),
        (["--image", "GOLD"], "--classes FILE"),
        (["--image", "icons-100", "--prompt", "a", "--classes", "imagenet"], "either --prompt"),
        (["--image", "missing.png"], "missing.png"),
        (["--image", "icons-100", "--trigger", "badnot"], "Did you mean 'badnet'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    Image.new("RGB", (80, 60), "gold").save(tmp_path / "gold.png")
    given = [str(tmp_path / "gold.png") if a == "GOLD" else a for a in arguments]
    result = run(*BADNET, *given, "--out", tmp_path / "out")
    assert isinstance(result.exception, ShieldCLIPError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()
