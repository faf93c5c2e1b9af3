"""What each setting of a matching is worth: who is found, and what is found for them.

    python training/measure_matching.py --out runs/matching

Matches the poisoned pairs of *finetune* by the model that was there before training, with one
setting changed at a time. Run again, it goes on where it stopped. Writes
training/experiments/matching.json and the table of training/notes/matching.md.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import torch
from judging import BEFORE, NOTES, TRAINING, detected, judged, poisoned_data
from marks import rewrite_block

from shieldclip.attacks.manifest import Manifest
from shieldclip.drafts import write_text
from shieldclip.matching import MatchSettings
from shieldclip.matching.folder import MatchFolder
from shieldclip.matching.occurrences import words_of

FIGURES = TRAINING / "experiments" / "matching.json"
VARIED: dict[str, tuple[float, ...]] = {
    "alpha": (0.0, 0.25, 0.75, 1.0),
    "epsilon": (0.01, 0.02, 0.1, 0.5),
    "pool": (256, 1024, 4096),
    "candidates": (1, 8, 64),
}
"""Setting -> values, beside the default."""
TELLING = 0.02
"""A word that more of all captions have says little about a picture."""
MARK = "matching-settings"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For data and matches.")
@click.option("--attack", "attacks", multiple=True, default=("badnet", "adaptive-both-named"))
@click.option("--threads", default=1, show_default=True)
def main(out: Path, attacks: tuple[str, ...], threads: int) -> None:
    """Match, judge, compare."""
    torch.set_num_threads(threads)
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for attack in attacks:
        known = figures.setdefault(attack, {})
        data = poisoned_data(attack, out / attack / "data")
        for name, settings in variants().items():
            if name not in known:
                known[name] = measured(data, out / attack / "matching", settings)
                write_text(FIGURES, json.dumps(figures, indent=1) + "\n")
    rewrite_block(NOTES, MARK, table(figures))


def variants() -> dict[str, MatchSettings]:
    """Name -> settings: the defaults, and one changed at a time."""
    usual = MatchSettings()
    found = {"as it is": usual}
    for setting, values in VARIED.items():
        for value in values:
            found[f"{setting} {value:g}"] = MatchSettings(**{**asdict(usual), setting: value})
    return found


def measured(data: Path, folder: Path, settings: MatchSettings) -> dict[str, Any]:
    """Detection, how many new captions of poisons say what the true ones say, and the time."""
    matches = judged(data, BEFORE, folder, settings)
    summary = json.loads(MatchFolder(folder).summary.read_text(encoding="utf-8"))
    right = right_captions(matches, Manifest.load(data / "manifest.jsonl"))
    work = {name: summary["work"][name] for name in ("solved", "seconds")}
    asked = {"distances": summary["work"]["pairs"], "recall": summary["recall"]}
    return {**detected(matches), **right, **asked, **work}


def right_captions(matches: pa.Table, manifest: Manifest) -> dict[str, float]:
    """Share of the new captions of poisons that have a telling word of the true caption."""
    count = Counter(word for text in matches["caption"].to_pylist() for word in set(words_of(text)))
    often = {word for word, times in count.items() if times > TELLING * len(matches)}
    true = {entry.row: entry.original_captions for entry in manifest.entries}
    new = [
        (set(words_of(row["new_caption"])), set(words_of(" ".join(true[row["row"]]))) - often)
        for row in matches.select(["row", "new_caption", "decision"]).to_pylist()
        if row["row"] in true and row["decision"] == "recaption"
    ]
    return {"right": sum(bool(said & meant) for said, meant in new) / max(len(new), 1)}


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown, a row for each attack and setting."""
    lines = [
        "| attack | setting | ROC-AUC of the gap | poisons changed, % | clean changed, % "
        "| right new captions, % | recall, % | seconds |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for attack, settings in figures.items():
        for name, row in settings.items():
            value, low, high = row["roc_auc"]
            recall = "" if row["recall"] is None else f"{100 * row['recall']:.1f}"
            lines.append(
                f"| {attack} | {name} | {value:.4f} [{low:.4f}, {high:.4f}] "
                f"| {100 * row['poisons_changed']:.1f} | {100 * row['clean_changed']:.1f} "
                f"| {100 * row['right']:.1f} | {recall} | {row['seconds']:.0f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
