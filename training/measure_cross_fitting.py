"""Does cross-fitting find poisons that a model trained on all pairs has learned?

    python training/measure_cross_fitting.py --out runs/cross-fitting

Fine-tunes plainly on the poisoned pairs of *finetune*, once on all of them and once without each
half of the pictures, and lets every model judge: the first all pairs, the others the pictures that
they did not see, and for comparison the model that was there before. Run again, it goes on where
it stopped. Writes training/experiments/cross-fitting.json and the table of
training/notes/matching.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import torch
from cells.spec import read_matrix
from marks import replace_block

from shieldclip.attacks.manifest import Manifest
from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.folder import prepare_folder, write_folder
from shieldclip.data import open_source
from shieldclip.data.parts import Part
from shieldclip.encoders import load_encoder
from shieldclip.matching import Computing, match
from shieldclip.matching.detection import detect
from shieldclip.matching.folder import MatchFolder
from shieldclip.matching.table import POISONED, load_table
from shieldclip.training.allocator import keep_freed_memory
from shieldclip.training.recipe import load_recipe
from shieldclip.training.run import train

TRAINING = Path(__file__).parent
MATRIX = TRAINING / "matrices" / "finetune.yaml"
RECIPE = TRAINING / "recipes" / "finetune-plain.yaml"
FIGURES = TRAINING / "experiments" / "cross-fitting.json"
NOTES = TRAINING / "notes" / "matching.md"
BEFORE = "shieldclip:icons-clean"
HALVES = (Part(1, 2), Part(2, 2))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For data and runs.")
@click.option("--attack", "attacks", multiple=True, default=("badnet", "targeted"))
@click.option("--threads", default=1, show_default=True)
def main(out: Path, attacks: tuple[str, ...], threads: int) -> None:
    """Train, judge, compare."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for attack in attacks:
        folder = out / attack
        data = poisoned_data(attack, folder / "data")
        tables = {
            "before": [judged(data, BEFORE, folder / "before")],
            "all pairs": [judged(data, trained(data, folder / "all"), folder / "judged-by-all")],
            "cross-fitted": [
                judged(data, trained(data, folder / name, half), folder / f"{name}-judged", half)
                for half in HALVES
                for name in [f"without-{half.number}"]
            ],
        }
        figures[attack] = {name: figures_of(pa.concat_tables(t)) for name, t in tables.items()}
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    notes = NOTES.read_text(encoding="utf-8")
    NOTES.write_text(replace_block(notes, "cross-fitting", table(figures)), encoding="utf-8")


def poisoned_data(attack: str, folder: Path) -> Path:
    """The pairs of an attack of the matrix, as a data set with a manifest."""
    if (folder / "manifest.jsonl").exists():
        return folder
    poison = dict(read_matrix(MATRIX).attacks[attack].poison or {})
    spec = load_recipe(str(RECIPE)).data.sources[0]
    source = open_source(spec.source, split=spec.split)
    rows, manifest = make_poison(poison)(source.rows, source.classes)
    prepare_folder(folder)
    write_folder(folder, rows, source.classes, manifest, poison)
    return folder


def trained(data: Path, folder: Path, half: Part | None = None) -> str:
    """Plain fine-tuning on the data, without ``half`` of its pictures."""
    changes = ["data.poison=null", "evaluation.suite=null", "log.every=10"]
    changes += [f"data.leave_out={half}"] if half else []
    train(load_recipe(str(RECIPE), changes, str(data)), folder)
    return str(folder / "last")


def judged(data: Path, model: str, folder: Path, half: Part | None = None) -> pa.Table:
    """The table of a matching, with a column that says which pairs are poisoned."""
    found = MatchFolder(folder)
    manifest = Manifest.load(data / "manifest.jsonl")
    if not found.summary.exists():
        match(
            open_source(str(data)),
            load_encoder(model),
            folder,
            computing=Computing(batch_size=128),
            manifest=manifest,
            part=half,
            resume=True,
        )
    return load_table(found.table)


def figures_of(table: pa.Table) -> dict[str, Any]:
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


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown, a row for each attack and model."""
    lines = [
        "| attack | judged by | ROC-AUC of the gap | poisons changed, % | clean changed, % |",
        "|---|---|---|---:|---:|",
    ]
    for attack, models in figures.items():
        for name in ("before", "all pairs", "cross-fitted"):
            row = models[name]
            value, low, high = row["roc_auc"]
            lines.append(
                f"| {attack} | {name} | {value:.4f} [{low:.4f}, {high:.4f}] "
                f"| {100 * row['poisons_changed']:.1f} | {100 * row['clean_changed']:.1f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
