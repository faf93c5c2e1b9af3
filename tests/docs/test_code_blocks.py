"""Every block of code on the site runs, or says why it does not and at least parses."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from blocks import PAGES, ROOT, Block, blocks
from commands import check, run
from workplace import furnish

from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.triggers import TRIGGERS
from shieldclip.training.defences import DEFENCES

pytestmark = pytest.mark.filterwarnings("ignore::shieldclip.errors.UntrustworthyWarning")

LANGUAGES = {"bash", "python", "text", "yaml", "{eval-rst}", "{toctree}"}
ALL = [block for page in PAGES for block in blocks(page)]
RUN = sorted({block.page for block in ALL if block.language in {"bash", "python"}})


def place(thing: Block | Path) -> str:
    if isinstance(thing, Path):
        return thing.stem
    return f"{thing.page.stem}:{thing.line}"


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("things")
    furnish(folder)
    return folder


@pytest.fixture
def workplace(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A reader's folder; registries and modules are afterwards as they were."""
    for thing in things.iterdir():
        (tmp_path / thing.name).symlink_to(thing)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SHIELDCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    registries: list[dict[str, Any]] = [TRIGGERS, DEFENCES]
    before = [dict(registry) for registry in registries]
    yield monkeypatch
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()
        registry.update(entries)
    for name in [path.stem for path in tmp_path.glob("*.py")]:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("page", RUN, ids=place)
def test_blocks_run_in_their_order(page: Path, workplace: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.file:
            Path(block.file).write_text(block.text)
        elif block.language == "python" and not block.not_run:
            # Empty lines before it, so that a traceback names the line of the page.
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        elif block.language == "bash" and not block.not_run:
            for command in block.commands():
                code = run(command, workplace)
                assert code == (2 if block.fails else 0), f"{place(block)}: {command}"


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "bash"], ids=place)
def test_commands_options_and_names_exist(block: Block) -> None:
    assert list(block.commands())
    for command in block.commands():
        check(command)


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "yaml"], ids=place)
def test_poisons_are_recipes(block: Block) -> None:
    record = yaml.safe_load(block.text)
    if "poison" in record:
        assert make_poison(record).id == record["poison"]


def test_blocks_name_their_language() -> None:
    assert [place(block) for block in ALL if block.language not in LANGUAGES] == []


def test_python_runs_here_or_in_a_test_that_is_named() -> None:
    for block in ALL:
        if block.not_run and block.language != "bash":
            test = re.search(r"\btests/\S+\.py\b", block.not_run)
            assert block.language == "python", place(block)
            assert test and (ROOT / test[0]).is_file(), f"{place(block)}: {block.not_run}"
