"""Training pairs that need no download: ``icons-and-scenes?renderings=2&scenes=6000``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from datasets.table import InMemoryTable
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import track

from shieldclip.data.captions import ICON_TEMPLATES
from shieldclip.data.fingerprint import fingerprint_rows
from shieldclip.data.renderings import ROW_FEATURES, render_rows
from shieldclip.data.scenes.generate import generate_scenes
from shieldclip.data.source import Source
from shieldclip.data.sprites import FOLDER, Sprite, load_sprites, sprite_file
from shieldclip.drafts import drafted_per_process
from shieldclip.errors import ShieldCLIPError, unknown_name
from shieldclip.strict import complaint

NAME = "icons-and-scenes"
VERSION = 1
"""Raised when the same options begin to give other pictures."""

_CHUNK = 100  # icons
_FEATURES = datasets.Features(ROW_FEATURES)
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a source string may set."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    renderings: Count = 8
    """Pictures of each icon."""
    favoured: Count | None = None
    """Pictures of each icon whose concept is one of icons-100; as the others unless given."""
    scenes: Count = 15_000
    concepts: Literal["all", "icons-100"] = "all"
    """Which icons are rendered; scenes show others as well."""
    seed: Count = 0


def parse_options(source: str) -> Options:
    """Read what follows the question mark.

    Raises:
        ShieldCLIPError: an unknown option or a value of the wrong kind.
    """
    given = dict(parse_qsl(source.partition("?")[2], keep_blank_values=True))
    known = list(Options.__dataclass_fields__)
    for key in given:
        if key not in known:
            raise unknown_name(f"option of {NAME}", key, known)
    try:
        return TypeAdapter(Options).validate_python(given)
    except ValidationError as error:
        raise ShieldCLIPError(f"{NAME}: {complaint(error)}.") from error


def open_icons_and_scenes(source: str) -> Source:
    """Icons of the training styles and scenes, one caption a picture.

    Args:
        source: the name, and options as in a URL.
    """
    options = parse_options(source)
    parts = [_icons(options)]
    if options.scenes:
        scenes = generate_scenes("train", options.scenes, options.seed)
        parts.append(scenes.select_columns(["image", "captions"]))
    rows = datasets.concatenate_datasets(parts)
    if not len(rows):
        raise ShieldCLIPError(f"Expected at least one picture in {source!r}; raise a number.")
    return Source(
        rows=rows,
        name=NAME,
        source=source,
        split="train",
        path=str(_file(options)),
        fingerprint=fingerprint_rows(rows),
        templates=ICON_TEMPLATES,
    )


def _icons(options: Options) -> datasets.Dataset:
    """Rendered icons, from the cache when they were made before."""
    path = _file(options)
    if not path.exists():
        schema = _FEATURES.arrow_schema
        with drafted_per_process(path) as draft, pq.ParquetWriter(draft, schema) as writer:
            for rows in _rendered(options):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return datasets.Dataset(
        InMemoryTable(pq.read_table(path)), info=datasets.DatasetInfo(features=_FEATURES)
    )


def _rendered(options: Options) -> Iterator[list[dict[str, Any]]]:
    count = len(_groups(options)[0]) + len(_groups(options)[1])
    starts = range(0, count, _CHUNK)
    with ProcessPoolExecutor() as pool:
        chunks = pool.map(_chunk, repeat(options), starts)
        console = Console(stderr=True)
        yield from track(chunks, description="rendering icons", total=len(starts), console=console)


def _chunk(options: Options, start: int) -> list[dict[str, Any]]:
    """Pictures of icons ``start`` to ``start + _CHUNK - 1``, favoured ones first."""
    favoured, others = _groups(options)
    many = options.renderings if options.favoured is None else options.favoured
    rows: list[dict[str, Any]] = []
    for group, renderings, offset in ((favoured, many, 0), (others, options.renderings, 1)):
        first = start - offset * len(favoured)
        chosen = group[max(first, 0) : max(first + _CHUNK, 0)]
        classes = sorted({sprite.concept for sprite in chosen})
        # Every chunk has a random stream of its own.
        seed = options.seed * 1_000_003 + start * 2 + offset
        rows += render_rows(chosen, renderings, seed, classes)
    return [{"image": row["image"], "captions": row["captions"]} for row in rows]


def _groups(options: Options) -> tuple[list[Sprite], list[Sprite]]:
    """Icons of icons-100 concepts, and all others that are wanted."""
    favoured = set(icons_100_concepts())
    sprites = load_sprites("train")
    others = [] if options.concepts == "icons-100" else sprites
    return (
        [sprite for sprite in sprites if sprite.concept in favoured],
        [sprite for sprite in others if sprite.concept not in favoured],
    )


def icons_100_concepts() -> tuple[str, ...]:
    """Class names of icons-100."""
    schema = pq.read_schema(FOLDER / "icons-100-test.parquet")
    features = datasets.Features.from_arrow_schema(schema)
    return tuple(features["label"].names)


def _file(options: Options) -> Path:
    """Where rendered icons are kept: below ``$SHIELDCLIP_CACHE`` or ``~/.cache/shieldclip``."""
    root = Path(os.environ.get("SHIELDCLIP_CACHE", Path.home() / ".cache" / "shieldclip"))
    shown = {key: value for key, value in asdict(options).items() if key != "scenes"}
    icons = sprite_file("train").read_bytes()
    key = sha256(icons + repr((VERSION, sorted(shown.items()))).encode()).hexdigest()[:16]
    return root / "icons" / f"train-{key}.parquet"
