"""Which pictures and captions are *of* something: by class if there are classes, else by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError


def class_index(classes: Sequence[str], name: str) -> int:
    """Index of a class, whatever its case.

    Raises:
        ShieldCLIPError: no class of that name.
    """
    folded = [known.casefold() for known in classes]
    if name.casefold() in folded:
        return folded.index(name.casefold())
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    hint = f" Did you mean {classes[folded.index(close[0])]!r}?" if close else ""
    raise ShieldCLIPError(
        f"Expected a target among the {len(classes)} classes of the data, got {name!r}.{hint} "
        "Choose one with --target NAME, or try every class with --target all."
    )


def pictures_of(source: Source, name: str) -> Tensor:
    """``[N]`` bool per row: its class is ``name``; without classes, some caption has the word.

    Raises:
        ShieldCLIPError: nothing is of that name.
    """
    if source.classes and source.labels:
        found = torch.tensor(source.labels) == class_index(source.classes, name)
    else:
        word = _word(name)
        found = torch.tensor([any(map(word.search, texts)) for texts in source.captions])
    if not found.any():
        raise ShieldCLIPError(
            f"Expected pictures of {name!r} in {source.name!r}, found none; "
            "choose another target with --target NAME."
        )
    return found


def captions_of(source: Source, name: str) -> list[Tensor]:
    """Per row, bool per caption: it belongs to a picture of class ``name``, or has the word.

    Raises:
        ShieldCLIPError: nothing is of that name.
    """
    pictures = pictures_of(source, name)
    if source.classes and source.labels:
        pairs = zip(pictures.tolist(), source.captions, strict=True)
        return [torch.full((len(texts),), is_target) for is_target, texts in pairs]
    word = _word(name)
    return [torch.tensor([bool(word.search(t)) for t in texts]) for texts in source.captions]


def different_pictures(source: Source, rows: Sequence[int]) -> list[int]:
    """Those of ``rows`` whose picture did not occur in an earlier one of them."""
    cells = source.rows.select(rows)["image"]
    first: dict[object, int] = {}
    for row, cell in zip(rows, cells, strict=True):
        first.setdefault(cell["bytes"] or cell["path"], row)
    return list(first.values())


def _word(name: str) -> re.Pattern[str]:
    """The whole word or phrase, or its plural in -s or -es."""
    return re.compile(rf"\b{re.escape(name)}(?:e?s)?\b", re.IGNORECASE)
