"""What searches accept: shapes, widths and finite numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport.bags import Bags
from shieldclip.transport.search_settings import GlobalFeatures


def check_features(patches: Tensor, captions: Bags) -> None:
    """Patches ``[I, P, D]`` and captions of the same width, all finite.

    Raises:
        ShieldCLIPError: naming the shapes, or the first row that is not finite.
    """
    if patches.ndim != 3 or 0 in patches.shape[1:]:
        raise ShieldCLIPError(
            f"Expected patch features of shape [I, P, D] with at least one patch, got "
            f"{list(patches.shape)}; use an encoder with patch features."
        )
    if patches.shape[2] != captions.features.shape[1]:
        raise ShieldCLIPError(
            f"Expected patches and words of one width, got {patches.shape[2]} and "
            f"{captions.features.shape[1]}; take both from the same encoder's joint space."
        )
    _check_finite("image", patches.flatten(1))
    word = _first_not_finite(captions.features)
    if word is not None:
        caption = int((captions.offsets[1:] <= word).sum())
        raise _not_finite(f"caption {caption}")


def check_globals(images: int, captions: int, given: GlobalFeatures) -> None:
    """One finite vector per image and caption, of one width.

    Raises:
        ShieldCLIPError: naming the shapes, or the first row that is not finite.
    """
    for name, features, count in (
        ("image", given.images, images),
        ("caption", given.texts, captions),
    ):
        if features.ndim != 2 or len(features) != count:
            raise ShieldCLIPError(
                f"Expected one global feature per {name}, [{count}, G], got "
                f"{list(features.shape)}; pass the embeddings of the same rows."
            )
        _check_finite(name, features)
    if given.images.shape[1] != given.texts.shape[1]:
        raise ShieldCLIPError(
            f"Expected global features of one width, got {given.images.shape[1]} for images and "
            f"{given.texts.shape[1]} for captions; take both from the same encoder."
        )


def check_candidates(images: int, captions: int, rows: Tensor) -> Tensor:
    """Captions ``[I, K]`` that exist.

    Raises:
        ShieldCLIPError: naming the shape, or what is out of range.
    """
    if rows.ndim != 2 or len(rows) != images or rows.dtype != torch.int64:
        raise ShieldCLIPError(
            f"Expected candidates [{images}, K] of int64, got {list(rows.shape)} of {rows.dtype}; "
            "give as many captions for every image; empty ones are never chosen."
        )
    if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < captions:
        raise ShieldCLIPError(
            f"Expected candidates from 0 to {captions - 1}, got {int(rows.min())} to "
            f"{int(rows.max())}; they are places among the captions given."
        )
    return rows


def _check_finite(name: str, features: Tensor) -> None:
    row = _first_not_finite(features)
    if row is not None:
        raise _not_finite(f"{name} {row}")


def _first_not_finite(features: Tensor) -> int | None:
    """A row of ``[R, D]``."""
    # A sum is not finite where an entry is not, and takes a fraction of the time to look.
    if features.sum().isfinite():
        return None
    rows = features.isfinite().all(dim=1)
    return None if rows.all() else int((~rows).nonzero()[0])


def _not_finite(row: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"Expected finite features, got NaN or infinity in {row}; "
        "leave this row out, or encode it in float32."
    )
