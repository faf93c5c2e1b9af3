"""What makes two checkpoints the same: their weights, not their files."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def fingerprint(model: nn.Module) -> str:
    """SHA-256 over a model's parameters and persistent buffers.

    For every tensor of the state dict in order of its name: the name, a zero byte, the shape as
    ``2x3``, a zero byte, and the values as little-endian float32. float16 and bfloat16 values are
    exact in float32, so a checkpoint keeps its fingerprint whether it is stored as safetensors or
    pickle, in one file or in shards, in half precision or widened to float32.

    Args:
        model: on the CPU, as loaded, before any cast to a lower precision.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        shape = "x".join(map(str, tensor.shape))
        digest.update(f"{name}\0{shape}\0".encode())
        values = tensor.detach().to("cpu", torch.float32).contiguous()
        digest.update(memoryview(values.reshape(-1).numpy().astype("<f4", copy=False)))
    return digest.hexdigest()
