"""The data card of the icon data, with counts read from the files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
from huggingface_hub import DatasetCard, DatasetCardData
from icons.packages import STYLES, VERSIONS, IconSet

from shieldclip.evaluation.write import write_file
from shieldclip.hub.rendering import make_card

_TEMPLATE = Path(__file__).parent / "card.md.j2"


def card_data(folder: Path) -> DatasetCardData:
    """The card's metadata: what `load_dataset` finds in the folder."""
    return DatasetCardData(
        pretty_name="Icon captions",
        license="other",
        license_name="mixed-open-licences",
        language=["en"],
        task_categories=["zero-shot-image-classification", "image-classification"],
        size_categories=["1K<n<10K"],
        tags=["icons", "emoji", "clip", "backdoor", "robustness"],
        configs=[
            {"config_name": name, "data_files": _splits(folder, name)} | default
            for name, default in (("icons-100", {"default": True}), ("sprites", {}))
        ],
    )


def _splits(folder: Path, config: str) -> list[dict[str, str]]:
    return [
        {"split": split, "path": f"{config}-{split}.parquet"}
        for split in ("train", "validation", "test")
        if (folder / f"{config}-{split}.parquet").exists()
    ]


def write_card(folder: Path, icon_sets: Iterable[IconSet]) -> None:
    """Write ``README.md`` beside the parquet files it describes."""
    by_style = {icons.style: icons for icons in icon_sets}
    counts = {
        style: pq.read_table(
            folder / f"sprites-{split}.parquet", columns=["style"], filters=[("style", "=", style)]
        ).num_rows
        for style, split in STYLES.items()
    }
    styles = "\n".join(
        f"| `{style}` | {STYLES[style]} | {counts[style]} | {icons.licence} | "
        f"[{icons.author}]({icons.url}) | {VERSIONS[f'@iconify-json/{style}']} |"
        for style, icons in by_style.items()
    )
    files = "\n".join(
        f"| `{path.name}` | {pq.read_metadata(path).num_rows} | {_megabytes(path)} |"
        for path in sorted(folder.glob("*.parquet"))
    )
    concepts = len(
        {
            name
            for path in folder.glob("sprites-*.parquet")
            for name in pq.read_table(path, columns=["concept"])["concept"].to_pylist()
        }
    )
    text = make_card(
        DatasetCard,
        card_data(folder),
        _TEMPLATE,
        styles=styles,
        files=files,
        concepts=concepts,
        icons=sum(counts.values()),
        emojibase=VERSIONS["emojibase-data"],
    )
    write_file(folder / "README.md", text)


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.2f} MB"
