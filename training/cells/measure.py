"""Measure a trained cell as ``shieldclip eval`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from cells.spec import Attack

from shieldclip.attacks.manifest import Manifest
from shieldclip.data.captions import ICON_TEMPLATES
from shieldclip.data.embedded import EMBEDDED
from shieldclip.evaluation import EvalReport, EvalRequest, evaluate
from shieldclip.evaluation.suite import Entry
from shieldclip.training.pairs.opening import OpenedPairs

REPOSITORY = Path(__file__).parents[2]
SUITE, MANIFEST, PICTURES = Path("suite.yaml"), Path("poisoned.jsonl"), Path("poisoned.parquet")
CLASSES, TEMPLATES = Path("classes.txt"), Path("templates.txt")


def measure(attack: Attack, utility: Sequence[Entry], opened: OpenedPairs) -> EvalReport:
    """Evaluate the last model of the run folder, which is the working directory.

    Names in the report are relative to it, so that they do not depend on where it lies.
    """
    entries = [entry.model_dump(mode="json") for entry in (*attack.entries, *utility)]
    if attack.poisoned_pictures:
        write_poisoned(opened)
        entries.append(_about_poisoned_pictures())
    suite = {"name": "attack", "description": "What the attack wants.", "entries": entries}
    SUITE.write_text(yaml.safe_dump(suite), encoding="utf-8")
    manifest = MANIFEST if attack.poisoned_pictures else None
    request = EvalRequest(models=("last",), suite=str(SUITE), manifest=manifest)
    return _without_machine(evaluate(request))


def _without_machine(report: EvalReport) -> EvalReport:
    """The report with the data's path relative to the repository."""
    path = Path(report.data.path)
    inside = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else Path(path.name)
    return replace(report, data=replace(report.data, path=inside.as_posix()))


def write_poisoned(opened: OpenedPairs) -> None:
    """One poisoned picture of each target, and a manifest with the rows where they now are."""
    assert opened.manifest is not None
    first = {entry.target: entry for entry in reversed(opened.manifest.entries)}
    entries = [first[target] for target in sorted(first)]
    classes = EMBEDDED["icons-100"]("test").classes
    pictures = opened.rows.select([entry.row for entry in entries])
    # Only data with labels has classes; these are the adversarial ones.
    labels = [classes.index(entry.target) for entry in entries]
    pictures.add_column("label", labels).to_parquet(PICTURES)
    Manifest(tuple(replace(entry, row=row) for row, entry in enumerate(entries))).save(MANIFEST)
    CLASSES.write_text("\n".join(classes), encoding="utf-8")
    TEMPLATES.write_text("\n".join(ICON_TEMPLATES), encoding="utf-8")


def _about_poisoned_pictures() -> dict[str, object]:
    data = {"source": str(PICTURES), "classes": str(CLASSES), "templates": str(TEMPLATES)}
    return {"data": data, "protocols": ["targeted"]}
