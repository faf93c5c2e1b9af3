"""The data card of the icon data, with counts read from the files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
from icons.packages import STYLES, VERSIONS, IconSet

_TEMPLATE = Path(__file__).parent / "card_template.md"


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
    text = _TEMPLATE.read_text(encoding="utf-8").format(
        styles=styles,
        files=files,
        concepts=concepts,
        icons=sum(counts.values()),
        emojibase=VERSIONS["emojibase-data"],
    )
    temporary = folder / "README.md.tmp"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / "README.md")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.2f} MB"
