"""What the wheel is told to hold, and whether the documents beside it agree."""

import re
import tomllib
from pathlib import Path

import yaml

import shieldclip

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_package_is_listed():
    folders = {file.parent for file in (ROOT / "shieldclip").rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    data = {
        "shieldclip.data.icons",
        "shieldclip.knowledge.icons",
        "shieldclip.recipes",
        "shieldclip.suites",
        "shieldclip.zoo",
    }
    assert set(SETUPTOOLS["packages"]) == packages | data


def test_every_shipped_file_exists():
    folders = SETUPTOOLS["package-dir"]
    for package, patterns in SETUPTOOLS["package-data"].items():
        folder = ROOT / folders.get(package, package.replace(".", "/"))
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package}: {pattern}"


def test_one_version_everywhere():
    version = PYPROJECT["project"]["version"]
    assert shieldclip.__version__ == version
    assert str(yaml.safe_load(read("CITATION.cff"))["version"]) == version
    assert re.findall(r"^## ([\d.]+)", read("CHANGELOG.md"), re.MULTILINE)[0] == version


def test_citation_has_what_the_format_requires():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == PYPROJECT["project"]["license"]


def test_notice_names_every_icon_set_with_its_licence():
    """The table of the data card, row by row."""
    row = re.compile(r"^\| `[\w-]+` \| \w+ \| \d+ \| (\S+) \| \[[^]]+\]\((\S+)\)", re.MULTILINE)
    sets = row.findall(read("shieldclip/data/icons/README.md"))
    notice = re.split(r"\n- ", read("NOTICE"))
    assert len(sets) == 6
    for licence, address in sets:
        assert any(licence in entry and address in entry for entry in notice), address
