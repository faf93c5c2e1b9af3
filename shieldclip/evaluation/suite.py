"""A suite says which data, protocols, triggers and target make up an evaluation: strict YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError, field_validator

from shieldclip.errors import ShieldCLIPError, in_one_line, unknown_name
from shieldclip.strict import Strict, complaint

ProtocolName = Literal[
    "zero-shot", "retrieval", "linear-probe", "targeted", "text-captions", "text-prompts"
]

_PACKAGE = Path(__file__).parents[1]
FOLDERS = (_PACKAGE / "suites", _PACKAGE.parent / "eval")
"""Where shipped suites lie: in an installed package, and in a clone."""


class DataSpec(Strict):
    """What `shieldclip.data.open_source` opens; ``None`` leaves a choice to it."""

    source: str
    split: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    caption_column: str | None = None
    classes: str | None = None
    """File of class names, or a name known to `open_source`."""
    templates: str | None = None
    """File of prompt templates, or a name known to `open_source`."""


class Entry(Strict):
    """Questions about one data set."""

    data: DataSpec
    protocols: tuple[ProtocolName, ...]
    triggers: tuple[str, ...] = ()
    """Triggers on pictures, for ``zero-shot`` and ``retrieval``."""
    text_triggers: tuple[str, ...] = ()
    target: str | None = None
    """Class or word the triggers aim at; ``all`` tries every class."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Poisoned pairs [A, B] for ``retrieval``: captions of A lead to pictures of B."""
    train: DataSpec | None = None
    """Training data of ``linear-probe``."""

    @field_validator("data", "train", mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"source": value} if isinstance(value, str) else value


class Suite(Strict):
    """A named list of entries."""

    name: str
    description: str
    entries: tuple[Entry, ...]

    @field_validator("entries")
    @classmethod
    def _not_empty(cls, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if not entries:
            raise ValueError("a suite needs at least one entry")
        return entries


def find_suite(name: str) -> Path:
    """The file of a shipped suite, or a path as it is.

    Raises:
        ShieldCLIPError: neither.
    """
    if Path(name).suffix in {".yaml", ".yml"}:
        if Path(name).is_file():
            return Path(name)
        raise ShieldCLIPError(f"Expected a suite file, but {name} does not exist; check the path.")
    known = shipped_suites()
    if name not in known:
        raise unknown_name("suite", name, known)
    return known[name]


def shipped_suites() -> dict[str, Path]:
    """Shipped suites by name."""
    return {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.yaml"))}


def load_suite(path: Path) -> Suite:
    """Reads a suite.

    Raises:
        ShieldCLIPError: not YAML, an unknown key, or a value of the wrong kind.
    """
    try:
        return Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(f"Expected a suite in YAML in {path}, but {reason}.") from error
    except ValidationError as error:
        raise ShieldCLIPError(
            f"Expected a suite in {path}, but {complaint(error)}; see `eval/quick.yaml`."
        ) from error
