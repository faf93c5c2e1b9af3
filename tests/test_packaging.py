"""What the wheel is told to hold."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]


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
