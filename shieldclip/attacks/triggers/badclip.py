"""BadCLIP (Liang et al., CVPR 2024): a patch that a clean model half takes for the target already.

`shieldclip optimize-trigger` finds one and writes it with `save_patch`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.centred import CentredPatch
from shieldclip.attacks.triggers.picture import file_digest, resized
from shieldclip.drafts import drafted
from shieldclip.errors import ShieldCLIPError

_FACTS = "badclip"


@dataclass(frozen=True)
class BadClip(CentredPatch):
    """16x16 centred patch optimised against a checkpoint; from `shieldclip optimize-trigger`.

    Attributes:
        path: a safetensors file with ``patch`` ``[3, s, s]`` in ``[0, 1]``, resized to the side
            that a 16-pixel patch has on the image.
    """

    id: ClassVar[str] = "badclip"
    path: str = field(kw_only=True)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[3, S, S]``, the same for all.

        Raises:
            ShieldCLIPError: no such file, or not a patch.
        """
        return _load(self.path, file_digest(self.path), under.shape[-1]).to(images)

    @override
    def record(self) -> dict[str, object]:
        """With the file's SHA-256."""
        return {**super().record(), "sha256": file_digest(self.path)}


def save_patch(patch: Tensor, facts: Mapping[str, object], path: Path) -> None:
    """Write a patch file, whole or not at all.

    Args:
        patch: ``[3, s, s]`` in ``[0, 1]``.
        facts: how it was found, as plain values; they go into the header of the file.
        path: the file.
    """
    tensors = {"patch": patch.detach().cpu().float().contiguous()}
    with drafted(path) as draft:
        save_file(tensors, draft, metadata={_FACTS: json.dumps(dict(facts))})


def read_facts(path: Path) -> dict[str, object]:
    """How a patch was found; empty where its file does not say.

    Raises:
        ShieldCLIPError: not a safetensors file.
    """
    try:
        with safe_open(str(path), "pt") as file:
            facts: dict[str, object] = json.loads((file.metadata() or {}).get(_FACTS, "{}"))
    except (OSError, SafetensorError) as error:
        raise _no_patch(str(path), str(error)) from error
    return facts


@lru_cache(maxsize=16)
def _load(path: str, _sha256: str, side: int) -> Tensor:
    """``[3, side, side]`` float32."""
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise _no_patch(path, str(error)) from error
    patch = tensors.get("patch")
    if patch is None or not _fits(patch):
        shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
        raise _no_patch(path, f"{shapes}")
    return resized(patch.float(), side, side)


def _fits(patch: Tensor) -> bool:
    square = patch.ndim == 3 and patch.shape[0] == 3 and patch.shape[1] == patch.shape[2] > 0
    return square and bool(patch.min() >= 0) and bool(patch.max() <= 1)


def _no_patch(path: str, got: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"Expected a safetensors file with `patch` [3, s, s] in [0, 1], got {path!r}: {got}; "
        "`shieldclip optimize-trigger` writes one."
    )
