"""Build the icon data that ships: fetch, join, render, write parquet and the data card.

    python training/build_icons.py [--out shieldclip/data/icons] [--npm-cache .npm-icons]

Needs `npm`, `pip install shieldclip[train]`, and about two minutes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import datasets
import numpy as np
import resvg_py
from icons.card import write_card
from icons.concepts import Concept, known_names, match_icons, read_concepts
from icons.packages import STYLES, IconSet, read_emoji, read_icon_set
from PIL import Image
from rich.console import Console
from rich.progress import track

from shieldclip.data.renderings import render_rows
from shieldclip.data.scenes.canvas import SIZE
from shieldclip.data.scenes.colours import dominant_colour
from shieldclip.data.sprites import SPLITS, Sprite, as_sprite
from shieldclip.drafts import drafted

ICONS_100 = Path(__file__).parent / "icons" / "icons_100.txt"
RENDERINGS = 10
"""Pictures of each of the 100 concepts in a rendered split."""
SEED = 100

SPRITE_FEATURES = datasets.Features(
    {
        "image": datasets.Image(),
        "concept": datasets.Value("string"),
        "style": datasets.Value("string"),
        "group": datasets.Value("string"),
        "subgroup": datasets.Value("string"),
        "colour": datasets.Value("string"),
        "keywords": datasets.List(datasets.Value("string")),
        "codepoint": datasets.Value("string"),
    }
)


def render_sprite(svg: str) -> Image.Image:
    """An SVG document -> RGBA, 64 x 64."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
    return Image.open(io.BytesIO(png)).convert("RGBA")


def encode_webp(image: Image.Image) -> bytes:
    """A lossless WebP file, half the size of a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def sprite_rows(icons: IconSet, matched: dict[str, str], concepts: dict[str, Concept]) -> Any:
    """One row an icon of one set, ordered by concept."""
    order = sorted(matched, key=lambda point: concepts[point].name)
    for point in track(order, description=icons.style):
        concept, image = concepts[point], render_sprite(icons.svg(matched[point]))
        yield {
            "image": {"bytes": encode_webp(image), "path": None},
            "concept": concept.name,
            "style": icons.style,
            "group": concept.group,
            "subgroup": concept.subgroup,
            "colour": dominant_colour(np.asarray(image)),
            "keywords": list(concept.keywords),
            "codepoint": point,
        }


def rendered_rows(sprites: Sequence[Sprite], classes: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Rendered pictures of the 100 concepts, as small files."""
    for row in render_rows(sprites, RENDERINGS, SEED, classes):
        picture = Image.open(io.BytesIO(row["image"]["bytes"]))
        yield {**row, "image": {"bytes": encode_webp(picture), "path": None}}


def write_parquet(rows: list[dict[str, Any]], features: datasets.Features, path: Path) -> None:
    """Write a file, whole or not at all."""
    with drafted(path) as draft:
        datasets.Dataset.from_list(rows, features=features).to_parquet(draft)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("shieldclip/data/icons"))
@click.option("--npm-cache", type=click.Path(path_type=Path), default=Path(".npm-icons"))
def main(out: Path, npm_cache: Path) -> None:
    """Build every file of the icon data."""
    out.mkdir(parents=True, exist_ok=True)
    sets = {style: read_icon_set(style, npm_cache) for style in STYLES}
    emoji, groups, shortcodes = read_emoji(npm_cache)
    concepts = read_concepts(emoji, groups)
    names = known_names(concepts, shortcodes, sets.values())
    classes = ICONS_100.read_text(encoding="utf-8").split("\n")[:-1]
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=classes),
            "captions": datasets.List(datasets.Value("string")),
        }
    )
    for split in SPLITS:
        rows = [
            row
            for style in STYLES
            if STYLES[style] == split
            for row in sprite_rows(sets[style], match_icons(sets[style], concepts, names), concepts)
        ]
        write_parquet(rows, SPRITE_FEATURES, out / f"sprites-{split}.parquet")
        if split != "train":
            shown = {row["concept"]: as_sprite(row) for row in rows}
            pictures = list(rendered_rows([shown[name] for name in classes], classes))
            write_parquet(pictures, features, out / f"icons-100-{split}.parquet")
    write_card(out, sets.values())
    total = sum(path.stat().st_size for path in out.glob("*.parquet"))
    Console().print(f"{out}: {total / 1e6:.1f} MB of parquet")


if __name__ == "__main__":
    main()
