"""BppAttack with Floyd-Steinberg dithering (Wang et al. 2022), as Semantic Shield uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import CONTROL_SEED, Trigger
from shieldclip.attacks.triggers.bpp import LevelCount, RoundingNoise

_ONE = 1 << 14
"""Fixed-point units in 1/255 of the step between two levels: 256 levels fit in int32."""


@dataclass(frozen=True)
class BppDither(Trigger):
    """Eight levels per channel, the rounding error diffused to the next pixels (7, 3, 5, 1) / 16.

    Attributes:
        levels: number q of levels.
    """

    id: ClassVar[str] = "bpp-dither"

    levels: LevelCount = 8

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """Floyd and Steinberg 1976, a loop over W + 2 (H - 1) wavefronts instead of H W pixels.

        A pixel needs the errors of its left, upper left, upper and upper right neighbours. Skewed
        by two columns a row, those lie in earlier columns, so that one column is one step. One
        rounding that falls otherwise changes the picture from there on: 8-bit values in fixed
        point make every device and dtype agree.
        """
        height, width = images.shape[-2:]
        top = self.levels - 1
        skewed = _skew((images * 255).round().int() * (top * _ONE))  # [T, B, 3, H + 1]
        step = 255 * _ONE  # between two levels
        for time in range(width + 2 * (height - 1)):
            first, last = max(0, (time - width + 2) // 2), min(height, time // 2 + 1)
            row, below = slice(first, last), slice(first + 1, last + 1)
            wanted = skewed[time, ..., row]
            level = torch.div(wanted + step // 2, step, rounding_mode="floor").clamp_(0, top)
            error = wanted - level * step
            wanted.copy_(level)
            right, left, down = ((error * share) >> 4 for share in (7, 3, 5))
            skewed[time + 1, ..., row] += right
            skewed[time + 1, ..., below] += left
            skewed[time + 2, ..., below] += down
            skewed[time + 3, ..., below] += error - right - left - down
        done_at, rows = _times(height, width, images.device)
        return skewed[done_at, :, :, rows].permute(2, 3, 0, 1).to(images.dtype) / top

    @override
    def control(self) -> Trigger:
        """Uniform noise of the same power as the diffused error, without its levels.

        Error diffusion with these weights multiplies the variance of a white rounding error by
        1 + (49 + 9 + 25 + 1) / 256 = 1.33.
        """
        amplitude = 0.5 / (self.levels - 1) * (1 + 84 / 256) ** 0.5
        return RoundingNoise(seed=self.seed + CONTROL_SEED, amplitude=amplitude)


def _times(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Step and row of every pixel: pixel (y, x) is done at step x + 2 y."""
    row = torch.arange(height, device=device)[:, None].expand(height, width)
    return torch.arange(width, device=device) + 2 * row, row


def _skew(images: Tensor) -> Tensor:
    """``[B, C, H, W]`` -> ``[T, B, C, H + 1]``: every wavefront in one place.

    The steps, the row and the gaps beyond the image collect the error that leaves it.
    """
    batch, channels, height, width = images.shape
    skewed = images.new_zeros(width + 2 * height + 1, batch, channels, height + 1)
    time, row = _times(height, width, images.device)
    skewed[time, :, :, row] = images.permute(2, 3, 0, 1)
    return skewed
