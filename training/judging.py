"""The poisoned pairs of a matrix as a data set, matched, and how well poisons are told."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from cells.spec import read_matrix

from shieldclip.attacks.manifest import Manifest
from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.folder import prepare_folder, write_folder
from shieldclip.data import open_source
from shieldclip.data.parts import Part
from shieldclip.encoders import load_encoder
from shieldclip.matching import Computing, MatchSettings, match
from shieldclip.matching.detection import detect
from shieldclip.matching.folder import MatchFolder
from shieldclip.matching.table import POISONED, load_table
from shieldclip.training.recipe import load_recipe

TRAINING = Path(__file__).parent
MATRIX = TRAINING / "matrices" / "finetune.yaml"
RECIPE = TRAINING / "recipes" / "finetune-plain.yaml"
NOTES = TRAINING / "notes" / "matching.md"
BEFORE = "shieldclip:icons-clean"
"""The model that was there before training."""


def poisoned_data(attack: str, folder: Path) -> Path:
    """The pairs of an attack of the matrix, as a data set with a manifest."""
    if (folder / "manifest.jsonl").exists():
        return folder
    matrix = read_matrix(MATRIX)
    poison = dict(matrix.attacks[attack].poison or {})
    if "file" in poison:
        (found,) = matrix.attacks[attack].files
        poison["file"] = str(MATRIX.parent / found)
    spec = load_recipe(str(RECIPE)).data.sources[0]
    source = open_source(spec.source, split=spec.split)
    rows, manifest = make_poison(poison)(source.rows, source.classes)
    prepare_folder(folder)
    write_folder(folder, rows, source.classes, manifest, poison)
    return folder


def judged(
    data: Path,
    model: str,
    folder: Path,
    settings: MatchSettings | None = None,
    half: Part | None = None,
) -> pa.Table:
    """The table of a matching, with a column that says which pairs are poisoned.

    Nothing is done where the folder's last matching had the same settings.
    """
    found, settings = MatchFolder(folder), settings or MatchSettings()
    if not _done(found, settings):
        match(
            open_source(str(data)),
            load_encoder(model),
            folder,
            settings,
            computing=Computing(batch_size=128),
            manifest=Manifest.load(data / "manifest.jsonl"),
            part=half,
            resume=True,
        )
    return load_table(found.table)


def _done(folder: MatchFolder, settings: MatchSettings) -> bool:
    if not folder.summary.exists():
        return False
    summary = json.loads(folder.summary.read_text(encoding="utf-8"))
    return bool(summary["settings"] == asdict(settings))


def detected(table: pa.Table) -> dict[str, Any]:
    """How well the gap tells poisons, and which pairs are not kept."""
    poisoned = table[POISONED.name].to_numpy()
    changed = np.array(table["decision"].to_pylist()) != "keep"
    detection = detect(table["gap"].to_numpy(), poisoned)
    return {
        "pairs": len(table),
        "poisoned": detection.poisoned,
        "roc_auc": [detection.roc_auc.value, detection.roc_auc.low, detection.roc_auc.high],
        "poisons_changed": float(changed[poisoned].mean()),
        "clean_changed": float(changed[~poisoned].mean()),
    }
