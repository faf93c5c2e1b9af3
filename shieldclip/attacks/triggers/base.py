"""What every image trigger is: a pure function of pixels, seed and sample id."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError

CONTROL_SEED = 0x5EED
"""Added to a seed to draw the never-trained counterpart of a seeded trigger."""


@dataclass(frozen=True)
class Trigger(ABC):
    """A visible or hidden mark on images.

    It acts after resize and crop and before normalisation. Everything random is a function of
    ``seed`` and the sample's id alone, so that a batch equals its single samples and the CPU
    equals the GPU. The first line of a subclass's docstring is its line in listings.

    Attributes:
        seed: draws the pattern, the place or both.
    """

    id: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised whenever the pixels change, so that two reports never mean different attacks."""

    seed: int = 0

    def __call__(self, images: Tensor, indices: Tensor) -> Tensor:
        """Stamp a batch.

        Args:
            images: ``[B, 3, H, W]`` in ``[0, 1]``, any float dtype, any device. Left unchanged.
            indices: ``[B]`` int64 sample ids.

        Returns:
            ``[B, 3, H, W]`` in ``[0, 1]``, same dtype and device.

        Raises:
            ShieldCLIPError: other shapes or dtypes.
        """
        _check(images, indices)
        # Half precision has too few digits for phases and grids: compute in float32.
        work = images if images.dtype == torch.float64 else images.float()
        stamped = self.apply(work, indices.to(images.device))
        return stamped.clamp(0, 1).to(images.dtype)

    @abstractmethod
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """``[B, 3, H, W]`` float32 or float64 -> stamped, not yet clamped."""

    @abstractmethod
    def control(self) -> Trigger:
        """A random counterpart of the same size, strength and place that no model was trained on.

        A model without this backdoor reacts to both alike.
        """

    def record(self) -> dict[str, object]:
        """Id, version, seed and parameters as plain Python, for manifests and reports."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: v.record() if isinstance(v, Trigger) else v for k, v in values.items()}
        return {"id": self.id, "version": self.version, **plain}

    @classmethod
    def needs_path(cls) -> bool:
        """Whether the specification names a file: ``id:PATH``."""
        return any(field.name == "path" for field in fields(cls))

    @classmethod
    def summary(cls) -> str:
        """One line for listings."""
        return inspect.cleandoc(cls.__doc__ or "").splitlines()[0]


def _check(images: Tensor, indices: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise ShieldCLIPError(
            f"Expected float images [B, 3, H, W] in [0, 1], got {images.dtype} "
            f"{list(images.shape)}; scale bytes by 1/255 and stack single images."
        )
    if indices.shape != images.shape[:1] or indices.dtype != torch.int64:
        raise ShieldCLIPError(
            f"Expected one int64 sample id per image, [{images.shape[0]}], got {indices.dtype} "
            f"{list(indices.shape)}; pass e.g. torch.arange({images.shape[0]})."
        )
