"""Shell completion: by click's own protocol, with the right names, without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from shieldclip.attacks.triggers import TRIGGERS
from shieldclip.cli import cli, names
from shieldclip.encoders import zoo_models
from shieldclip.evaluation.suite import shipped_suites
from shieldclip.export import FORMATS
from shieldclip.knowledge import EMBEDDED
from shieldclip.knowledge.sources import SOURCES
from shieldclip.training.recipe import shipped_recipes


def completed(*words: str) -> list[str]:
    """What is offered for the last word."""
    *before, typed = words
    complete = ShellComplete(cli, {}, "shieldclip", "_SHIELDCLIP_COMPLETE")
    return [item.value for item in complete.get_completions(list(before), typed)]


@pytest.mark.parametrize(
    ("shown", "registered"),
    [
        (names.models, lambda: [f"shieldclip:{model.name}" for model in zoo_models()]),
        (names.recipes, shipped_recipes),
        (names.suites, shipped_suites),
        (
            lambda: names.TRIGGERS,
            lambda: [f"{name}:" if kind.needs_path() else name for name, kind in TRIGGERS.items()],
        ),
        (lambda: names.FORMATS, lambda: FORMATS),
        (lambda: names.KNOWLEDGE, lambda: [f"embedded:{name}" for name in EMBEDDED]),
        (lambda: names.KNOWLEDGE_SOURCES, lambda: SOURCES),
    ],
)
def test_names_are_those_of_the_registries(
    shown: Callable[[], Iterable[str]], registered: Callable[[], Iterable[str]]
) -> None:
    assert sorted(shown()) == sorted(registered())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["exp"], ["explain", "export"]),
        (["eval", "--trigger", "badnet-s"], ["badnet-stripes"]),
        (["eval", "--model", "shieldclip:icons-c"], ["shieldclip:icons-clean"]),
        (["eval", "--suite", "st"], ["standard"]),
        (["train", "finetune-sh"], ["finetune-shield"]),
        (["explain", "--knowledge", "embedded:icons-"], ["embedded:icons-smollm2"]),
        (["export", "shieldclip:icons-sh"], ["shieldclip:icons-shield"]),
        (["export", "x", "--to", "o"], ["onnx", "open-clip"]),
        (["knowledge", "x", "--from", "w"], ["wordnet"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_offers(words: list[str], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_files_where_no_name_fits() -> None:
    complete = ShellComplete(cli, {}, "shieldclip", "_SHIELDCLIP_COMPLETE")
    (item,) = complete.get_completions(["eval", "--model"], "./runs/")
    assert (item.value, item.type) == ("./runs/", "file")


def test_completes_without_heavy_imports() -> None:
    """Through the program, as a shell asks it."""
    code = (
        "import atexit, sys; from shieldclip.cli import main\n"
        "heavy = {'torch', 'transformers', 'numpy', 'datasets', 'rich'}\n"
        "atexit.register(lambda: print(heavy & set(sys.modules)))\n"
        "main()"
    )
    asked = {
        "_SHIELDCLIP_COMPLETE": "bash_complete",
        "COMP_WORDS": "shieldclip eval --trigger filter",
        "COMP_CWORD": "3",
    }
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["plain,filter-nashville", "set()"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_one_that_the_shell_takes(shell: str) -> None:
    script = CliRunner().invoke(cli, ["completion", shell], catch_exceptions=False).output
    assert f"_SHIELDCLIP_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_keeps_the_colon_of_a_specification() -> None:
    if not shutil.which("bash"):
        pytest.skip("no bash here")
    script = CliRunner().invoke(cli, ["completion", "bash"], catch_exceptions=False).output
    shown = subprocess.run(
        ["bash", "-c", f'{script}\nprintf "%s" "$COMP_WORDBREAKS"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ":" not in shown.stdout


def test_every_option_for_a_checkpoint_completes() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            if parameter.metavar == "SPEC" and parameter.name in {"model", "models"}:
                offered = parameter.shell_complete(click.Context(command), "shieldclip:")
                assert offered and offered[0].type == "plain", name
