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
import pyarrow as pa
import torch
from judging import BEFORE, NOTES, RECIPE, TRAINING, detected, judged, poisoned_data
from marks import rewrite_block

from shieldclip.data.parts import Part
from shieldclip.drafts import write_text
from shieldclip.training.allocator import keep_freed_memory
from shieldclip.training.recipe import load_recipe
from shieldclip.training.run import train

FIGURES = TRAINING / "experiments" / "cross-fitting.json"
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
                judged(
                    data, trained(data, folder / name, half), folder / f"{name}-judged", half=half
                )
                for half in HALVES
                for name in [f"without-{half.number}"]
            ],
        }
        figures[attack] = {name: detected(pa.concat_tables(t)) for name, t in tables.items()}
        write_text(FIGURES, json.dumps(figures, indent=1, sort_keys=True) + "\n")
    rewrite_block(NOTES, "cross-fitting", table(figures))


def trained(data: Path, folder: Path, half: Part | None = None) -> str:
    """Plain fine-tuning on the data, without ``half`` of its pictures."""
    changes = ["data.poison=null", "evaluation.suite=null", "log.every=10"]
    changes += [f"data.leave_out={half}"] if half else []
    train(load_recipe(str(RECIPE), changes, str(data)), folder)
    return str(folder / "last")


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
