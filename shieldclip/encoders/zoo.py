"""The checkpoints shipped with this package, one folder each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shieldclip.errors import ShieldCLIPError, unknown_name

ZOO = Path(__file__).parents[1] / "zoo"
RECORD = "zoo.json"


@dataclass(frozen=True)
class ZooModel:
    """One shipped checkpoint: a transformers ``CLIPModel`` folder with a ``zoo.json``."""

    name: str
    path: Path
    backdoored: bool
    description: str
    """What it is, in one line."""
    warning: str
    """What a user must know before trusting it, or ``""``."""
    fingerprint: str = ""
    """Of its weights, when they were measured."""


def zoo_models() -> tuple[ZooModel, ...]:
    """All shipped checkpoints, by name.

    Raises:
        ShieldCLIPError: a folder whose ``zoo.json`` cannot be read.
    """
    return tuple(_read(record) for record in sorted(ZOO.glob(f"*/{RECORD}")))


def find_zoo_model(name: str) -> ZooModel:
    """One shipped checkpoint.

    Raises:
        ShieldCLIPError: no such name.
    """
    models = {model.name: model for model in zoo_models()}
    if name not in models:
        raise unknown_name("zoo model", name, models)
    return models[name]


def _read(path: Path) -> ZooModel:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return ZooModel(
            name=record["name"],
            path=path.parent,
            backdoored=record["backdoored"],
            description=record["description"],
            warning=record["warning"],
            fingerprint=record.get("fingerprint", ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ShieldCLIPError(
            f"Expected name, backdoored, description and warning in {path}, got {error!r}."
        ) from error
