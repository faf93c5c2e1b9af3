"""How many pictures fit through an encoder at once."""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.types import Encoder

HOST_BUDGET = 1 << 30
"""Bytes of activations one batch may take in main memory, where more is not faster."""


def find_batch_size(encoder: Encoder, largest: int = 1024) -> int:
    """The largest batch of images to encode in one pass without gradients.

    On CUDA a pass of ``largest`` images is tried, and halved until it fits. Elsewhere, where
    exhausted memory may end the process instead of raising, it is computed from the activations
    that one picture leaves behind.

    Args:
        encoder: any encoder.
        largest: upper bound, at least 1.

    Returns:
        Images per batch, at least 1.

    Raises:
        ShieldCLIPError: not even one picture fits.
    """
    if torch.device(encoder.device).type == "cuda":
        return _largest_that_runs(encoder, largest)
    return max(1, min(largest, HOST_BUDGET // max(1, _bytes_per_image(encoder))))


def _largest_that_runs(encoder: Encoder, size: int) -> int:
    while size:
        try:
            with torch.inference_mode():
                encoder.encode_image(_grey(encoder, size))
            return size
        except torch.OutOfMemoryError:
            size //= 2
        finally:
            torch.cuda.empty_cache()
    raise ShieldCLIPError(
        f"Not one picture fits through {encoder.name!r} on {encoder.device}; "
        "free its memory or use --device cpu."
    )


def _bytes_per_image(encoder: Encoder) -> int:
    """Bytes autograd keeps for one picture more: a bound on what a pass without it needs."""
    return _saved_bytes(encoder, 2) - _saved_bytes(encoder, 1)


def _saved_bytes(encoder: Encoder, batch_size: int) -> int:
    total = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.nbytes
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda kept: kept):
        encoder.encode_image(_grey(encoder, batch_size).requires_grad_())
    return total


def _grey(encoder: Encoder, batch_size: int) -> Tensor:
    return torch.full((batch_size, 3, encoder.image_size, encoder.image_size), 0.5)
