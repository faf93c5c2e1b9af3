"""BppAttack (Wang et al. 2022): fewer grey levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.counter import PATTERN, uniform

LevelCount = Annotated[int, Field(ge=2, le=256)]


@dataclass(frozen=True)
class Bpp(Trigger):
    """round(7 x) / 7: eight levels per channel.

    Attributes:
        levels: number q of levels.
    """

    id: ClassVar[str] = "bpp"

    levels: LevelCount = 8

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Round every value to the nearest level."""
        return (images * (self.levels - 1)).round() / (self.levels - 1)

    @override
    def control(self) -> Trigger:
        """Uniform noise of up to half a step: the error that rounding makes, without its levels."""
        return RoundingNoise(seed=self.seed + CONTROL_SEED, amplitude=0.5 / (self.levels - 1))


@dataclass(frozen=True)
class RoundingNoise(Trigger):
    """Independent noise U[-amplitude, amplitude] per pixel and channel, redrawn per sample.

    Attributes:
        amplitude: largest change of a value.
    """

    id: ClassVar[str] = "control-rounding-noise"

    amplitude: float = 0.5 / 7

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Add the noise."""
        noise = 2 * uniform(self.seed, PATTERN, indices, images.shape[1:]) - 1
        return images + self.amplitude * noise.to(images.dtype)

    @override
    def control(self) -> Trigger:
        """Other noise."""
        return replace(self, seed=self.seed + CONTROL_SEED)
