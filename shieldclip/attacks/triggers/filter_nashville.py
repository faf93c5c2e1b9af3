"""A photo filter as a trigger, as in the trojan-detection literature (Liu et al. 2019, ABS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from typing_extensions import override

from shieldclip.attacks.triggers.base import Trigger


@dataclass(frozen=True)
class FilterNashville(Trigger):
    """The Nashville photo filter over the whole image.

    Attributes:
        filter: name in the ``pilgram`` library, one that looks at single pixels only.
    """

    id: ClassVar[str] = "filter-nashville"

    filter: Literal["nashville", "maven"] = "nashville"

    @override
    def apply(self, images: Tensor, indices: Tensor) -> Tensor:
        """One call of the library for the whole batch, stacked as one tall 8-bit picture."""
        import pilgram

        batch, channels, height, width = images.shape
        tall = (images * 255).round().byte().permute(0, 2, 3, 1).reshape(-1, width, channels)
        filtered = np.array(getattr(pilgram, self.filter)(Image.fromarray(tall.cpu().numpy())))
        stacked = torch.from_numpy(filtered).view(batch, height, width, channels)
        return stacked.permute(0, 3, 1, 2).to(images) / 255

    @override
    def control(self) -> Trigger:
        """Another filter of about the same strength."""
        return FilterNashville(seed=self.seed, filter="maven")
