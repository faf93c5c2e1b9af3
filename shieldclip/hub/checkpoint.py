"""A checkpoint folder, checked, with the records of how it was made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shieldclip.encoders import load_encoder
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.safety import read_json
from shieldclip.encoders.zoo import RECORD
from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.hub.pickles import find_pickles

RECIPE, POISON, TRAINING = "recipe.yaml", "poison.yaml", "training.md"
NEEDED = {
    RECIPE: (
        "model.pretrained",
        "data.sources",
        "defence.name",
        "optimiser.samples",
        "optimiser.epochs",
        "optimiser.batch_size",
        "optimiser.learning_rate",
        "seed",
    ),
    POISON: ("poison",),
}
"""What the card says of each record; `shieldclip train` and `shieldclip poison` write all of it."""
RUN_MODELS = ("last", "best", "early")
"""Model folders within the folder of a training run, those to take first in front."""


@dataclass(frozen=True)
class Checkpoint:
    """What there is to publish."""

    folder: Path
    """Holds the model."""
    name: str
    fingerprint: str
    """Of the weights, as an `EvalReport` records it."""
    config: dict[str, Any]
    """The model's configuration."""
    recipe: dict[str, Any] | None = None
    """As resolved, if ``shieldclip train`` made it."""
    poison: dict[str, Any] | None = None
    """Recipe of the poison in its training pairs, if there was one."""
    training: str = ""
    """Markdown on how it was trained, where someone wrote that."""
    description: str = ""
    warning: str = ""
    recipe_file: Path | None = None


def open_checkpoint(path: Path) -> Checkpoint:
    """Read and check a model folder.

    Args:
        path: a model folder, or the folder of a training run, whose ``last`` is then taken.

    Raises:
        ShieldCLIPError: no checkpoint, one that does not load, or a folder with a pickle.
    """
    folder = _model_folder(path)
    pickles = find_pickles(folder)
    if pickles:
        raise ShieldCLIPError(
            f"Expected no pickles in {folder}, got {', '.join(p.name for p in pickles[:5])}: "
            "loading one can run code; save the weights as safetensors and delete them."
        )
    with quiet_libraries():
        encoder = load_encoder(str(folder), device="cpu", dtype="float32")
    records = folder.parent if folder.name in RUN_MODELS else folder
    recipe_file = records / RECIPE
    recipe = _read_yaml(recipe_file)
    zoo = json.loads(_text(folder / RECORD) or "{}")
    return Checkpoint(
        folder=folder,
        name=str(zoo.get("name") or records.resolve().name),
        fingerprint=encoder.fingerprint,
        config=read_json(folder / "config.json") if encoder.library == "transformers" else {},
        recipe=recipe,
        poison=_read_yaml(folder / POISON) or _poison_of(recipe),
        training=_text(folder / TRAINING),
        description=str(
            zoo.get("description") or (recipe or {}).get("about", {}).get("summary", "")
        ),
        warning=str(zoo.get("warning") or ""),
        recipe_file=recipe_file if recipe else None,
    )


def _model_folder(path: Path) -> Path:
    if not path.is_dir():
        raise ShieldCLIPError(f"Expected the folder of a checkpoint, but there is none at {path}.")
    runs = [path / name for name in RUN_MODELS if (path / name / "config.json").is_file()]
    return runs[0] if runs and not (path / "config.json").is_file() else path


def _poison_of(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    poison = (recipe or {}).get("data", {}).get("poison")
    return {"poison": poison} if isinstance(poison, str) else poison


def _read_yaml(path: Path) -> dict[str, Any] | None:
    try:
        record = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(
            f"Expected YAML in {path}, but {reason}; restore the file."
        ) from error
    if record is None:
        return None
    missing = [key for key in NEEDED[path.name] if not _has(record, key.split("."))]
    if missing:
        raise ShieldCLIPError(
            f"Expected {path} as resolved, as a run writes it, got one without "
            f"{', '.join(missing)}; copy it from the run's folder, or delete it."
        )
    checked: dict[str, Any] = record
    return checked


def _has(record: object, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(record, dict) or key not in record:
            return False
        record = record[key]
    return True


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
