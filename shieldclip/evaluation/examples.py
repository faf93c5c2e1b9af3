"""Pictures for the report: chosen without looking at the outcome, so that they do not flatter."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from shieldclip.pages import png_uri

MAX_SIDE = 128
"""Larger pictures are shrunk: a report stays a few megabytes."""


def choose_examples(labels: Tensor, count: int) -> Tensor:
    """The first picture of each of ``count`` classes spread evenly over those that occur.

    Args:
        labels: ``[N]`` int.
        count: how many; fewer when fewer classes occur.

    Returns:
        places in ``labels``, int64.
    """
    present = torch.unique(labels)
    spread = np.linspace(0, len(present) - 1, min(count, len(present))).round()
    return torch.stack([(labels == present[int(at)]).nonzero()[0, 0] for at in spread])


def picture_uri(pixels: Tensor) -> str:
    """``[3, S, S]`` uint8 -> PNG data URI."""
    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return png_uri(image)
