"""Pictures -> numbers that are equal for equal pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SEED = 0x5EED
_UPPER = 2**32 - 1


def picture_ids(pixels: Tensor) -> Tensor:
    """Multilinear hash (Carter and Wegman 1979) of each picture's bytes, the same in every run.

    Args:
        pixels: ``[B, 3, S, S]`` uint8.

    Returns:
        ``[B]`` int64 in [0, 2^63).
    """
    content = pixels.flatten(1)
    words = F.pad(content, (0, -content.shape[1] % 4)).contiguous().view(torch.int32).long()
    generator = torch.Generator().manual_seed(_SEED)
    factors = torch.randint(-(2**62), 2**62, (2, words.shape[1]), generator=generator)
    first, second = ((words * row).sum(dim=1) >> 32 & _UPPER for row in factors)  # wrap, as meant
    return torch.bitwise_or((first >> 1) << 32, second)
