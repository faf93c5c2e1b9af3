"""The checkpoints shipped with this package, one folder each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shieldclip.errors import ShieldCLIPError, unknown_name

ZOO = Path(__file__).parents[1] / "zoo"
CARD = "zoo.json"


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


def zoo_models() -> tuple[ZooModel, ...]:
    """All shipped checkpoints, by name.

    Raises:
        ShieldCLIPError: a folder whose ``zoo.json`` cannot be read.
    """
    return tuple(_read(card) for card in sorted(ZOO.glob(f"*/{CARD}")))


def find_zoo_model(name: str) -> ZooModel:
    """One shipped checkpoint.

    Raises:
        ShieldCLIPError: no such name.
    """
    models = {model.name: model for model in zoo_models()}
    if name not in models:
        raise unknown_name("zoo model", name, models)
    return models[name]


def _read(card: Path) -> ZooModel:
    try:
        record = json.loads(card.read_text(encoding="utf-8"))
        return ZooModel(
            name=record["name"],
            path=card.parent,
            backdoored=record["backdoored"],
            description=record["description"],
            warning=record["warning"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ShieldCLIPError(
            f"Expected name, backdoored, description and warning in {card}, got {error!r}."
        ) from error
