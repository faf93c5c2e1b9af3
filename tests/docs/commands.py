"""A line of a shell block: whether its command, options and values exist, and running it."""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from blocks import ROOT

from shieldclip.attacks.texts import TEXT_TRIGGERS
from shieldclip.attacks.triggers import TRIGGERS
from shieldclip.cli import cli, main
from shieldclip.encoders import zoo_models
from shieldclip.evaluation.suite import shipped_suites
from shieldclip.training.recipe import load_recipe, shipped_recipes


def ours(words: list[str]) -> list[str] | None:
    """Arguments of ``shieldclip``, also as ``... -m shieldclip``; None for other commands."""
    for at, word in enumerate(words):
        if word == "shieldclip" and (at == 0 or words[at - 1] == "-m"):
            return words[at + 1 :]
    return None


def check(command: str) -> None:
    """Parse a command as the command line would, and look up the names in it.

    Raises:
        click.UsageError: no such command or option, or a value that does not fit.
        ShieldCLIPError: a recipe or a key that does not exist.
    """
    words = shlex.split(command)
    arguments = ours(words)
    if arguments is None:
        scripts = [word for word in words if word.startswith(("benchmarks/", "training/"))]
        assert all((ROOT / script).is_file() for script in scripts), command
    elif not arguments[0].startswith("-"):
        name, *rest = arguments
        with click.Context(cli) as context:
            found = cli.get_command(context, name)
        assert found is not None, f"no such command: {command}"
        look_up(found.make_context(name, rest).params)


def look_up(values: dict[str, Any]) -> None:
    """Names of triggers, suites, shipped checkpoints and recipes exist."""
    given = values.get("triggers") or values.get("trigger") or ()
    for trigger in (given,) if isinstance(given, str) else given:
        assert trigger.partition(":")[0] in {*TRIGGERS, *TEXT_TRIGGERS}, trigger
    suite = values.get("suite", "quick")
    assert suite in shipped_suites() or Path(suite).suffix, suite
    named = values.get("models") or values.get("model") or ()
    for model in (named,) if isinstance(named, str) else named:
        kind, _, name = model.partition(":")
        assert kind != "shieldclip" or name in {m.name for m in zoo_models()}, model
    if values.get("recipe") in shipped_recipes():
        load_recipe(values["recipe"], values["overrides"], values["source"])


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run ``shieldclip ...`` or ``python FILE ...`` in this process; its exit code."""
    words = shlex.split(command)
    script = words[1] if words[0] == "python" else ""
    monkeypatch.setattr(sys, "argv", words[1:] if script else words)
    assert script or words[0] == "shieldclip", f"cannot run {command!r}: say why it is not run"
    try:
        if script:
            runpy.run_path(script, run_name="__main__")
        else:
            main()
    except SystemExit as stop:
        assert stop.code is None or isinstance(stop.code, int), stop.code
        return stop.code or 0
    return 0
