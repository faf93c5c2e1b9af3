"""Half-precision embeddings in, full-precision arithmetic inside."""

from __future__ import annotations

import torch
from torch import Tensor


def widen(values: Tensor) -> Tensor:
    """fp16 and bf16 become float32; wider types stay."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def products(left: Tensor, right: Tensor) -> Tensor:
    """Dot products of rows, in float32 or wider.

    Args:
        left: ``[..., R, D]``.
        right: ``[..., S, D]``.

    Returns:
        ``[..., R, S]``.
    """
    # Autocast would narrow this one operation again.
    with torch.autocast(left.device.type, enabled=False):
        return widen(left) @ widen(right).transpose(-1, -2)
