"""What the README tells people to type, typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from icon_folders import icons, write_class_folders, write_pairs

from shieldclip.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

STAND_INS = {
    "org/their-clip": "shieldclip:icons-badnet",
    "./my-checkpoint": "shieldclip:icons-badnet",
    "openai/clip-vit-base-patch32": (
        "shieldclip:icons-clean --set optimiser.samples=32 --set optimiser.batch_size=16"
    ),
    '"cat"': '"banana"',
}
"""What is somebody's own, or needs a network -> what ships, and a shorter training."""


def blocks(language: str, text: str = README) -> list[str]:
    """Fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text between a heading and the next."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def commands(block: str) -> list[list[str]]:
    """The words of each ``shieldclip`` line; a backslash continues a line."""
    lines = (shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines())
    return [words[1:] for words in lines if words[:1] == ["shieldclip"]]


CLASSIFY, AUDIT, RETRAIN = re.findall(
    r"^```(?:python|bash)\n(.*?)^```$", section("Three ways to use it"), re.MULTILINE | re.DOTALL
)
MEASURE = blocks("python")[1]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled_in(block: str, stand_ins: Mapping[str, str] = STAND_INS) -> str:
    """A block as somebody would type it here."""
    for name, stand_in in stand_ins.items():
        block = block.replace(name, stand_in)
    return block


def typed(block: str) -> list[Result]:
    """What each command of a block does."""
    return [CliRunner().invoke(cli, words) for words in commands(block)]


def test_classify_in_an_app(somewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dict(icons(1))["pear"].save(somewhere / "pear.png")
    exec(filled_in(CLASSIFY), {})
    best = eval(capsys.readouterr().out)[0]
    assert best["label"] == "pear"


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [("icons-badnet", 1, "Backdoor found"), ("icons-shield", 0, "Nothing found")],
)
def test_audit_in_ci(model: str, code: int, said: str, somewhere: Path) -> None:
    write_class_folders(somewhere / "pictures", per_class=10)
    [result] = typed(filled_in(AUDIT, {"org/their-clip": f"shieldclip:{model}"}))
    assert result.exit_code == code, result.output
    assert said in (somewhere / "report" / "report.html").read_text(encoding="utf-8")


def test_retrain_on_your_own_pairs(somewhere: Path) -> None:
    write_pairs(somewhere / "pairs", per_class=5)
    write_class_folders(somewhere / "pictures", per_class=2)
    train, evaluate = typed(filled_in(RETRAIN))
    assert train.exit_code == 0, train.exception
    assert (somewhere / "retrained" / "last" / "model.safetensors").exists()
    assert evaluate.exit_code == 0, evaluate.exception
    assert "retrained/last" in evaluate.output


def test_measure_in_python(somewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_class_folders(somewhere / "pictures", per_class=5)
    exec(filled_in(MEASURE), {})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    high = [trigger for trigger, value, _, _ in lines if float(value) > 0.9]
    assert high == ["badnet"]
    assert (somewhere / "report" / "report.json").exists()


def test_every_command_takes_what_it_is_given() -> None:
    written = [words for block in blocks("bash") for words in commands(block)]
    assert len(written) > 8
    for name, *arguments in written:
        command = cli.get_command(cli.make_context("shieldclip", [name]), name)
        assert command is not None, name
        command.make_context(name, arguments)


def test_every_file_that_is_linked_exists() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", README)
    missing = [link for link in links if "://" not in link and not (root / link).exists()]
    assert not missing
