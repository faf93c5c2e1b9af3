"""Any mask and pattern: learned triggers, inversion results, natural triggers.

To write one::

    from safetensors.torch import save_file
    save_file({"mask": mask, "pattern": pattern}, "trigger.safetensors")

with ``mask`` ``[1 | 3, h, w]`` and ``pattern`` ``[3, h, w]``, floats in ``[0, 1]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, uniform
from shieldclip.attacks.triggers.picture import file_digest, resized
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True)
class FromFile(Trigger):
    """A mask and a pattern of yours from a safetensors file: (1 - mask) x + mask pattern.

    Attributes:
        path: a safetensors file with ``mask`` ``[1 | 3, h, w]`` and ``pattern`` ``[3, h, w]`` in
            ``[0, 1]``, resized to the image.
    """

    id: ClassVar[str] = "file"

    path: str = field(kw_only=True)

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Blend where the mask is.

        Raises:
            ShieldCLIPError: no such file, or not a trigger.
        """
        mask, pattern = self.tensors(images)
        return torch.lerp(images, pattern.expand_as(images), mask.expand_as(images))

    def tensors(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mask ``[1 | 3, H, W]`` and pattern ``[3, H, W]`` at the size of the images.

        Raises:
            ShieldCLIPError: no such file, or not a trigger.
        """
        height, width = images.shape[-2:]
        mask, pattern = _load(self.path, file_digest(self.path), height, width)
        return mask.to(images), pattern.to(images)

    @override
    def control(self) -> Trigger:
        """Colour noise under the same mask."""
        return ControlFile(seed=self.seed + CONTROL_SEED, of=self)

    @override
    def record(self) -> dict[str, object]:
        """With the file's SHA-256."""
        return {**super().record(), "sha256": file_digest(self.path)}


@dataclass(frozen=True)
class ControlFile(Trigger):
    """Colour noise under the mask of a trigger file, redrawn per sample.

    Attributes:
        of: the trigger it stands in for.
    """

    id: ClassVar[str] = "control-file"
    of: FromFile = field(kw_only=True)

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Blend where the mask is."""
        mask, _ = self.of.tensors(images)
        noise = uniform(self.seed, PATTERN, indices, images.shape[1:]).to(images)
        return torch.lerp(images, noise, mask.expand_as(images))

    @override
    def control(self) -> Trigger:
        """Other noise."""
        return replace(self, seed=self.seed + CONTROL_SEED)


@lru_cache(maxsize=16)
def _load(path: str, _sha256: str, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Mask and pattern at ``[*, H, W]`` float32."""
    expected = "`mask` [1 or 3, h, w] and `pattern` [3, h, w] of the same size in [0, 1]"
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ShieldCLIPError(
            f"Expected a safetensors file with {expected}, got {path!r}: {error}."
        ) from error
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    mask, pattern = tensors.get("mask"), tensors.get("pattern")
    if mask is None or pattern is None or not _fits(mask, pattern):
        raise ShieldCLIPError(f"Expected {expected}, got {shapes} in {path!r}; write it so.")
    return resized(mask.float(), height, width), resized(pattern.float(), height, width)


def _fits(mask: Tensor, pattern: Tensor) -> bool:
    if mask.ndim != 3 or pattern.ndim != 3:
        return False
    sizes = mask.shape[0] in (1, 3) and pattern.shape[0] == 3
    low, high = min(mask.min(), pattern.min()), max(mask.max(), pattern.max())
    return sizes and mask.shape[1:] == pattern.shape[1:] and bool(low >= 0) and bool(high <= 1)
