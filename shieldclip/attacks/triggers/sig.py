"""SIG, the sinusoidal signal of Barni et al. 2019."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import Trigger


@dataclass(frozen=True)
class Sig(Trigger):
    """x + (60/255) sin(2 pi j 6 / W) over columns j.

    Attributes:
        delta: amplitude, in ``(0, 1]``.
        frequency: periods across the image.
        direction: along which the signal runs.
    """

    id: ClassVar[str] = "sig"

    delta: Annotated[float, Field(gt=0, le=1)] = 60 / 255
    frequency: Annotated[int, Field(ge=1)] = 6
    direction: Literal["columns", "rows"] = "columns"

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Add the wave."""
        span = images.shape[-1 if self.direction == "columns" else -2]
        steps = torch.arange(span, device=images.device, dtype=images.dtype)
        wave = self.delta * torch.sin(2 * math.pi * steps * self.frequency / span)
        return images + (wave if self.direction == "columns" else wave[:, None])

    @override
    def control(self) -> Trigger:
        """Another frequency across the other direction, at the same amplitude."""
        other: Literal["columns", "rows"] = "rows" if self.direction == "columns" else "columns"
        return replace(self, frequency=self.frequency + 5, direction=other)


@dataclass(frozen=True)
class Sig40(Sig):
    """SIG with the weaker amplitude 40/255."""

    id: ClassVar[str] = "sig-40"

    delta: Annotated[float, Field(gt=0, le=1)] = 40 / 255
