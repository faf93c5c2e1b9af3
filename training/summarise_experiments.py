"""Put the table of exploratory runs into training/NOTES.md, from their logs.

    python training/summarise_experiments.py

Needs nothing but the logs in training/experiments/.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from marks import rewrite_block

TRAINING = Path(__file__).parent
LOGS, NOTES = TRAINING / "experiments", TRAINING / "NOTES.md"
COLUMNS = {
    "top-1": "eval/ca@1",
    "ASR": "eval/asr",
    "control": "eval/control",
    "RA": "eval/ra",
    "clean set aside": "set_aside/clean",
    "poisons set aside": "set_aside/poison",
}
"""Heading -> key of a log, both as shares in [0, 1]."""


def table(logs: Path) -> str:
    """What every log says last, as Markdown, with the best AUC of the ranks."""
    head = ["run", "pairs seen", *COLUMNS, "AUC of ranks, best / last"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for path in sorted(logs.glob("*.jsonl")):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        last = {key: value for record in records for key, value in record.items()}
        cells = [f"`{path.stem}`", f"{records[-1]['pairs']:,}"]
        cells += [_percent(last.get(key)) for key in COLUMNS.values()]
        lines.append(f"| {' | '.join([*cells, _auc(records)])} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _auc(records: list[dict[str, float]]) -> str:
    areas = [record["auc/joint"] for record in records if "auc/joint" in record]
    return f"{max(areas):.2f} / {areas[-1]:.2f}" if areas else ""


@click.command()
def main() -> None:
    """Read, write."""
    rewrite_block(NOTES, "experiments", table(LOGS))


if __name__ == "__main__":
    main()
