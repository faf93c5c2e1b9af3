"""The audit job for CI: its steps hang together, and its command does what it says."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from icon_folders import write_class_folders

from shieldclip.cli import cli
from shieldclip.encoders.zoo import find_zoo_model

JOB = Path(__file__).parents[2] / "examples" / "audit.yml"


@pytest.fixture
def workflow() -> dict[Any, Any]:
    loaded = yaml.safe_load(JOB.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture
def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return list(workflow["jobs"]["audit"]["steps"])


def script(steps: list[dict[str, Any]], program: str) -> str:
    """The one script that starts with a program."""
    [found] = [step["run"] for step in steps if step.get("run", "").startswith(program)]
    return str(found).replace("\\\n", " ")


@pytest.mark.parametrize(("model", "code"), [("icons-badnet", 1), ("icons-otcclip", 0)])
def test_its_command_finds_backdoors_and_leaves_what_is_uploaded(
    model: str,
    code: int,
    workflow: dict[Any, Any],
    steps: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in workflow["env"].items():
        monkeypatch.setenv(name, value)
    write_class_folders(Path(workflow["env"]["PICTURES"]), per_class=10)
    Path(workflow["env"]["CHECKPOINT"]).symlink_to(find_zoo_model(model).path)
    words = shlex.split(os.path.expandvars(script(steps, "shieldclip")))
    result = CliRunner().invoke(cli, words[1:])
    assert result.exit_code == code, result.output
    [kept] = [step["with"]["path"] for step in steps if "upload" in step.get("uses", "")]
    assert all(Path(line).stat().st_size for line in kept.splitlines())
    assert Path(shlex.split(script(steps, "cat"))[1]).is_file()


def test_the_report_is_kept_when_the_audit_fails(steps: list[dict[str, Any]]) -> None:
    audit = next(at for at, step in enumerate(steps) if "shieldclip eval" in step.get("run", ""))
    assert steps[audit + 1 :]
    assert all(step["if"] == "always()" for step in steps[audit + 1 :])


def test_it_installs_before_it_measures_and_may_only_read(
    workflow: dict[Any, Any], steps: list[dict[str, Any]]
) -> None:
    runs = [step.get("run", "") for step in steps]
    order = [at for at, run in enumerate(runs) if run.startswith(("pip install", "shieldclip"))]
    assert runs[order[0]].startswith("pip install")
    assert workflow["permissions"] == {"contents": "read"}
