"""Prompt templates and class names that come by name or from a file.

In a template ``{}`` stands for the class name, which is put in as it is. The article before it is
never adjusted ("a photo of a apple."), because published figures were made so; who minds writes
templates without one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from shieldclip.data.captions import ICON_TEMPLATES
from shieldclip.errors import ShieldCLIPError, unknown_name

SIMPLE = ("a photo of a {}.",)


def imagenet_templates() -> tuple[str, ...]:
    """The 80 templates of the CLIP paper, from open_clip."""
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    return tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 class names used with CLIP, in label order, from open_clip; two occur twice."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    return tuple(IMAGENET_CLASSNAMES)


TEMPLATES: dict[str, Callable[[], tuple[str, ...]]] = {
    "simple": lambda: SIMPLE,
    "icons": lambda: ICON_TEMPLATES,
    "imagenet-80": imagenet_templates,
}
CLASSES: dict[str, Callable[[], tuple[str, ...]]] = {"imagenet": imagenet_classes}


def templates_for(name: str) -> tuple[str, ...]:
    """Templates by name (`TEMPLATES`), or from a file with one on each line.

    Raises:
        ShieldCLIPError: neither a name nor a file, or a line without exactly one ``{}``.
    """
    if name in TEMPLATES:
        return TEMPLATES[name]()
    lines = _lines(_file("templates", name, TEMPLATES))
    for number, line in enumerate(lines, start=1):
        if line.count("{}") != 1 or {"{", "}"} & set(line.replace("{}", "")):
            raise ShieldCLIPError(
                f"Expected exactly one {{}} and no other braces in each template, but line "
                f"{number} of {name} is {line!r}; write {{}} where the class name goes."
            )
    return lines


def classes_for(name: str) -> tuple[str, ...]:
    """Class names by name (`CLASSES`), or from a file: one on each line, or a JSON list.

    Raises:
        ShieldCLIPError: neither a name nor a file, or not a list of names.
    """
    if name in CLASSES:
        return CLASSES[name]()
    path = _file("class list", name, CLASSES)
    names = _json_names(path) if path.suffix == ".json" else _lines(path)
    for number, line in enumerate(names, start=1):
        if not line.strip():
            raise ShieldCLIPError(
                f"Expected a class name in every entry, but entry {number} of {name} is empty; "
                "remove it or name it."
            )
    return names


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        ShieldCLIPError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShieldCLIPError(
            f"Expected UTF-8 text in {path}, but byte {error.start} is not; save it as UTF-8."
        ) from error
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a readable file, but {path}: {error.strerror}; check path and permissions."
        ) from error


def _file(kind: str, name: str, known: dict[str, Callable[[], tuple[str, ...]]]) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise ShieldCLIPError(f"{unknown_name(kind, name, known)} Or pass the path of a file.")
    return path


def _lines(path: Path) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in read_text(path).rstrip().splitlines())
    if not lines:
        raise ShieldCLIPError(f"Expected one entry on each line of {path}, but it is empty.")
    return lines


def _json_names(path: Path) -> tuple[str, ...]:
    try:
        names = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ShieldCLIPError(f"Expected a JSON list of class names in {path}: {error}.") from error
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ShieldCLIPError(f"Expected a JSON list of class names in {path}; write one.")
    return tuple(names)
