"""Any number of scenes: made in parallel, kept as parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import track

from shieldclip.data.renderings import ROW_FEATURES, encode_png
from shieldclip.data.scenes.compose import SCENE_GROUPS, compose
from shieldclip.data.sprites import Sprite, load_sprites, sprite_file
from shieldclip.drafts import drafted_per_process

VERSION = 1
"""Raised when the same seed begins to give other scenes."""

_CHUNK = 500

_FEATURES = datasets.Features(
    {
        **ROW_FEATURES,
        "concepts": datasets.List(datasets.Value("string")),
        "boxes": datasets.List(datasets.List(datasets.Value("int32"))),
    }
)


def scene_sprites(split: str) -> tuple[Sprite, ...]:
    """The icons of a split that can stand in a scene."""
    return tuple(sprite for sprite in load_sprites(split) if sprite.group in SCENE_GROUPS)


def generate_scenes(split: str, count: int, seed: int = 0) -> datasets.Dataset:
    """``count`` scenes of a split, from the cache when they were made before.

    Rows: ``image``, ``captions`` (one), ``concepts`` and ``boxes`` (``[left, top, right,
    bottom]`` in pixels, one a concept).
    """
    path = scenes_file(split, count, seed)
    if not path.exists():
        schema = _FEATURES.arrow_schema
        with drafted_per_process(path) as draft, pq.ParquetWriter(draft, schema) as writer:
            for rows in _chunks(split, count, seed):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return datasets.Dataset(pq.read_table(path)).cast(_FEATURES)


def scenes_file(split: str, count: int, seed: int) -> Path:
    """Where scenes are kept: below ``$SHIELDCLIP_CACHE`` or ``~/.cache/shieldclip``."""
    root = Path(os.environ.get("SHIELDCLIP_CACHE", Path.home() / ".cache" / "shieldclip"))
    icons = sha256(sprite_file(split).read_bytes()).hexdigest()[:8]
    return root / "scenes" / f"v{VERSION}-{icons}-{split}-{count}-seed{seed}.parquet"


def _chunks(split: str, count: int, seed: int) -> Iterator[list[dict[str, Any]]]:
    starts = range(0, count, _CHUNK)
    if len(starts) <= 2:
        yield from (_rows(split, count, seed, start) for start in starts)
        return
    with ProcessPoolExecutor() as pool:
        chunks = pool.map(_rows, repeat(split), repeat(count), repeat(seed), starts)
        yield from track(chunks, description=f"{split} scenes", total=len(starts))


def _rows(split: str, count: int, seed: int, start: int) -> list[dict[str, Any]]:
    sprites = scene_sprites(split)
    rows = []
    for index in range(start, min(start + _CHUNK, count)):
        scene = compose(sprites, split, seed, index)
        rows.append(
            {
                "image": {"bytes": encode_png(scene.pixels), "path": None},
                "captions": [scene.caption],
                "concepts": list(scene.concepts),
                "boxes": [list(asdict(box).values()) for box in scene.boxes],
            }
        )
    return rows
