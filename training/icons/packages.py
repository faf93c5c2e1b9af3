"""Fetch the icon sets and the emoji names from the npm registry."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldclip.drafts import drafted

STYLES: Mapping[str, str] = {
    "noto": "train",
    "noto-v1": "train",
    "fluent-emoji-flat": "train",
    "fxemoji": "train",
    "emojione": "validation",
    "twemoji": "test",
}
"""Icon set -> split. A style belongs to one split only, so accuracy on the test split is
generalisation to a way of drawing that was never seen."""

VERSIONS: Mapping[str, str] = {
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/noto-v1": "1.2.5",
    "@iconify-json/fluent-emoji-flat": "1.2.6",
    "@iconify-json/fxemoji": "1.2.2",
    "@iconify-json/emojione": "1.2.3",
    "@iconify-json/twemoji": "1.2.5",
    "emojibase-data": "17.0.0",
}


@dataclass(frozen=True)
class IconSet:
    """One style: SVG bodies by icon name, other names for them, code points where known."""

    style: str
    bodies: dict[str, str]
    aliases: dict[str, str]
    codepoints: dict[str, str]
    """Lower-case code points joined by ``-`` -> icon name; empty for three of the sets."""
    size: int
    licence: str
    author: str
    url: str

    def svg(self, name: str) -> str:
        """The icon as an SVG document."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {self.size} {self.size}">{self.bodies[name]}</svg>'
        )


def fetch(package: str, folder: Path) -> Path:
    """Unpack ``package`` at its pinned version below ``folder`` -> the unpacked folder."""
    target = folder / package.replace("/", "-").lstrip("@")
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"{package}@{VERSIONS[package]}", "--silent"]
        packed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        archive = folder / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar, drafted(target) as draft:
            tar.extractall(draft, filter="data")
        archive.unlink()
    return target / "package"


def read_icon_set(style: str, folder: Path) -> IconSet:
    """Fetch and read one icon set."""
    package = fetch(f"@iconify-json/{style}", folder)
    icons = _read_json(package / "icons.json")
    info = _read_json(package / "info.json")
    return IconSet(
        style=style,
        bodies={name: icon["body"] for name, icon in icons["icons"].items()},
        aliases={name: alias["parent"] for name, alias in icons.get("aliases", {}).items()},
        codepoints=_read_json(package / "chars.json"),
        size=icons["width"],
        licence=info["license"]["spdx"],
        author=info["author"]["name"],
        url=info["author"]["url"],
    )


def read_emoji(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Fetch emojibase -> (English emoji records, group names, short-code tables)."""
    package = fetch("emojibase-data", folder)
    tables = [_read_json(path) for path in sorted((package / "en" / "shortcodes").glob("*.json"))]
    return _read_json(package / "en/data.json"), _read_json(package / "meta/groups.json"), tables


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
