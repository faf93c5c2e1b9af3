"""A poisoned data set as a folder that `datasets.load_dataset` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import datasets
import yaml

from shieldclip.attacks.manifest import Manifest
from shieldclip.drafts import drafted, write_text
from shieldclip.errors import ShieldCLIPError

# Without `configs` in YAML: with it, `load_dataset` may serve another folder of the same name from
# its cache. The parquet file is found as it is.
_CARD = """\
---
tags: [shieldclip, poisoned]
---

# Poisoned data set

{poisoned} of {total} rows are poisoned on purpose, to test defences: see `manifest.jsonl` for which
and `recipe.yaml` for how. Do not train a model on it that anyone will rely on.
"""


def prepare_folder(folder: Path) -> None:
    """Make the folder before the work starts.

    Raises:
        ShieldCLIPError: it holds files already, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a folder to write, got {str(folder)!r}: {error.strerror}; choose another."
        ) from error
    if used:
        raise ShieldCLIPError(
            f"Expected an empty folder, got {str(folder)!r} with files in it; choose another."
        )


def write_folder(
    folder: Path,
    rows: datasets.Dataset,
    classes: Sequence[str],
    manifest: Manifest,
    recipe: Mapping[str, object],
) -> None:
    """Write card, recipe, manifest and, last, the rows with embedded images and class names.

    Every file is written whole or not at all.
    """
    rows = rows.cast_column("image", datasets.Image())
    if classes and "label" in rows.column_names:
        rows = rows.cast_column("label", datasets.ClassLabel(names=list(classes)))
    card = _CARD.format(poisoned=len(manifest.entries), total=len(rows))
    write_text(folder / "README.md", card)
    write_text(folder / "recipe.yaml", yaml.safe_dump(dict(recipe), sort_keys=False))
    manifest.save(folder / "manifest.jsonl")
    with drafted(folder / "data.parquet") as draft:
        rows.to_parquet(str(draft))
