"""Carry out a plan: every image through one resize, crop and encoding, some of them stamped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from shieldclip.attacks.poisons.plan import Plan
from shieldclip.attacks.triggers.base import Trigger
from shieldclip.errors import ShieldCLIPError

_BATCH = 256
Pixels = NDArray[np.uint8]


def rewrite(rows: datasets.Dataset, plan: Plan, image_size: int) -> datasets.Dataset:
    """The data set of the plan.

    Args:
        rows: the source, with an image column ``image``.
        plan: order of the rows, and captions and triggers of the poisoned ones; a trigger gets the
            row index as sample id.
        image_size: side of all images, in pixels.

    Raises:
        ShieldCLIPError: an image that cannot be read.
    """
    ordered = rows.cast_column("image", datasets.Image(decode=False)).select(plan.order)
    with ThreadPoolExecutor() as threads, _progress(len(plan.order)) as progress:

        def step(batch: dict[str, list[Any]], indices: list[int]) -> dict[str, list[Any]]:
            source = [(plan.order[row], image_size) for row in indices]
            pixels = list(threads.map(_read, batch["image"], source))
            for trigger, places in _by_trigger(plan, indices).items():
                _stamp(pixels, places, indices, trigger)
            files = list(threads.map(_encode, pixels))
            progress.advance(progress.task_ids[0], len(indices))
            return {
                "image": [{"bytes": file, "path": None} for file in files],
                "captions": [
                    list(plan.changes[row].captions) if row in plan.changes else captions
                    for row, captions in zip(indices, batch["captions"], strict=True)
                ],
            }

        return ordered.map(
            step,
            with_indices=True,
            batched=True,
            batch_size=_BATCH,
            features=ordered.features,
            load_from_cache_file=False,
            new_fingerprint=uuid.uuid4().hex,  # a closure with threads cannot be hashed
        )


def _read(image: Mapping[str, Any], source: tuple[int, int]) -> Pixels:
    """Upright RGB, shorter side to S (bicubic), centre crop: ``[S, S, 3]``."""
    row, side = source
    try:
        with Image.open(BytesIO(image["bytes"]) if image["bytes"] else image["path"]) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        name = f" ({image['path']})" if image["path"] else ""
        raise ShieldCLIPError(
            f"Expected a readable image, got row {row}{name}: {error}; repair it or remove the row."
        ) from error
    return np.array(ImageOps.fit(upright, (side, side), Image.Resampling.BICUBIC))


def _by_trigger(plan: Plan, indices: list[int]) -> dict[Trigger, list[int]]:
    """Which places of a batch each trigger is stamped on."""
    places: dict[Trigger, list[int]] = {}
    for place, row in enumerate(indices):
        change = plan.changes.get(row)
        if change is not None and change.trigger is not None:
            places.setdefault(change.trigger, []).append(place)
    return places


def _stamp(pixels: list[Pixels], places: list[int], indices: list[int], trigger: Trigger) -> None:
    """Replace the images at some places of a batch by stamped ones."""
    images = torch.from_numpy(np.stack([pixels[place] for place in places]))
    stamped = trigger(
        images.permute(0, 3, 1, 2) / 255, torch.tensor([indices[place] for place in places])
    )
    whole = (stamped * 255).round().byte().permute(0, 2, 3, 1).numpy()
    for place, image in zip(places, whole, strict=True):
        pixels[place] = image


def _encode(pixels: Pixels) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=3)  # twice as fast as 6
    return file.getvalue()


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    """One bar with rate and remaining time, in place of the library's own."""
    shown_before = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            progress.add_task("Writing images", total=total)
            yield progress
    finally:
        if shown_before:
            datasets.enable_progress_bars()
