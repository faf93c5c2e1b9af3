"""sdist and wheel: built as installers build them, complete, and used from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
FOLDERS = ("shieldclip", "eval", "training/recipes", "docs")
MADE = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
DOCUMENTS = {
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "NOTICE",
    "README.md", "pyproject.toml", "setup.py",
}  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    tree: Path
    """The sources, without anything that was made from them."""
    sdist: Path
    wheel: Path
    site: Path
    """Where the wheel is installed."""
    said: str
    """By the tools."""


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    """The wheel is made from the sdist, and without a compiler, which takes a minute."""
    base = tmp_path_factory.mktemp("distribution")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, base / "tree" / name, ignore=MADE)
    for name in DOCUMENTS:
        shutil.copy(ROOT / name, base / "tree" / name)
    said = _build("sdist", base / "tree")
    sdist = base / f"shieldclip-{VERSION}.tar.gz"
    with tarfile.open(sdist) as archive:
        archive.extractall(base / "unpacked", filter="data")
    said += _build("wheel", base / "unpacked" / f"shieldclip-{VERSION}", compiler="missing")
    (wheel,) = (base / "unpacked").glob("*.whl")
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--target"]
    _run([sys.executable, "-m", "pip", "install", *options, str(base / "site"), str(wheel)], base)
    yield Distribution(base / "tree", sdist, wheel, base / "site", said)
    shutil.rmtree(base)  # a quarter of a gigabyte


def _build(kind: str, folder: Path, compiler: str = "") -> str:
    code = f"from setuptools import build_meta; build_meta.build_{kind}('..')"
    extra = {"CC": compiler, "CXX": compiler} if compiler else {}
    return _run([sys.executable, "-c", code], folder, extra)


def _run(command: list[str], folder: Path, extra: dict[str, str] | None = None) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, env=clean | (extra or {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_tools_warn_of_nothing_but_the_missing_compiler(distribution):
    warnings = [line for line in distribution.said.splitlines() if "warning: " in line.lower()]
    assert [line for line in warnings if "_native" not in line] == []


def test_wheel_holds_every_file_of_the_package_and_no_other(distribution):
    tree = distribution.tree
    moved = {"eval": "shieldclip/suites", "training/recipes": "shieldclip/recipes"}
    expected = {f"shieldclip/{name}" for name in files(tree / "shieldclip")}
    for folder, package in moved.items():
        expected |= {f"{package}/{path.name}" for path in (tree / folder).glob("*.yaml")}
    with ZipFile(distribution.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == expected


def test_sdist_holds_what_is_built_from_and_the_documents(distribution):
    tree = distribution.tree
    with tarfile.open(distribution.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in FOLDERS:
        assert {f"{folder}/{name}" for name in files(tree / folder)} <= names
    assert names >= DOCUMENTS
    assert not any(name.startswith("tests") or name.endswith((".so", ".pyc")) for name in names)


def test_metadata_names_version_licences_and_program(distribution):
    folder = f"shieldclip-{VERSION}.dist-info"
    with ZipFile(distribution.wheel) as wheel:
        metadata = message_from_string(wheel.read(f"{folder}/METADATA").decode())
        programs = wheel.read(f"{folder}/entry_points.txt").decode()
        notice = wheel.read(f"{folder}/licenses/NOTICE").decode()
    assert (metadata["Name"], metadata["Version"]) == ("shieldclip", VERSION)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("License-File", [])) == {"LICENSE", "NOTICE"}
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "shieldclip = shieldclip.cli:main" in programs
    assert "Copyright (c) Microsoft" in notice


def test_installed_wheel_works_from_elsewhere(distribution, tmp_path):
    def shieldclip(*arguments: str) -> str:
        command = [sys.executable, "-m", "shieldclip", *arguments]
        return _run(command, tmp_path, {"PYTHONPATH": str(distribution.site)})

    assert shieldclip("--version") == f"shieldclip, version {VERSION}\n"
    models = json.loads(shieldclip("models", "--json"))
    assert models
    assert all(Path(model["path"]).is_relative_to(distribution.site) for model in models)
