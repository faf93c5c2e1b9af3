"""Attention weights as tensors that carry gradient."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST = 1e-6
"""Share of attention that counts as none."""


def explicit_attention(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """softmax(scale · Q Kᵀ), with the softmax in float32.

    Args:
        query: ``[B, H, Q, E]``.
        key: ``[B, H, T, E]``.
        scale: usually E^-½.

    Returns:
        ``[B, H, Q, T]`` float32, whatever comes in, since a logarithm of these weights has
        gradients too large for half precision; rows sum to 1.
    """
    logits = query @ key.transpose(-1, -2) * scale
    return logits.softmax(dim=-1, dtype=torch.float32)


def attention_to_patches(weights: Tensor) -> Tensor:
    """The global token's attention, restricted to patches.

    Args:
        weights: ``[B, H, 1 + P]`` float32, attention of the global token to itself and to patches.

    Returns:
        ``[B, P]`` float32: mean over heads, renormalised to sum to 1 over patches.
    """
    patches = weights.mean(dim=1)[:, 1:]
    # All attention may lie on the global token itself; less than this has no finite gradient.
    total = patches.sum(dim=-1, keepdim=True).clamp_min(_LEAST)
    return patches / total
