"""Exchange of embeddings between training processes, with gradient.

Every process computes the loss of its own rows against everybody's embeddings. With gradients
averaged over processes, as `DistributedDataParallel` does, a step then equals one on a single
process with the whole batch.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather(rows: Tensor) -> Tensor:
    """Stack the rows of all processes, in order of rank.

    The gradient of a row is the sum of what all processes give it. Without a process group the
    rows come back as they are.

    Args:
        rows: ``[B, ...]``; B may differ between processes, the other sizes may not.

    Returns:
        ``[N, ...]``, N the sum of B over processes.
    """
    if not _distributed():
        return rows
    sizes = _sizes(rows)
    longest = max(sizes)
    # Collectives need equal sizes, and abort the process where they differ.
    padding = rows.new_zeros(longest - len(rows), *rows.shape[1:])
    stacked: Tensor = _Gather.apply(torch.cat([rows, padding]))
    parts = torch.tensor_split(stacked, len(sizes))
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


def gather_ragged(rows: Tensor, fill: int) -> Tensor:
    """`gather` of integers ``[B, M]``, whose M may differ too: shorter ones are filled up."""
    own = torch.tensor([rows.shape[1]], device=rows.device)
    missing = int(gather(own).max()) - rows.shape[1]
    return gather(torch.nn.functional.pad(rows, (0, missing), value=fill))


def own_rows(rows: Tensor) -> Tensor:
    """Where this process's rows are in `gather` of them: ``[B]`` indices."""
    first = sum(_sizes(rows)[: dist.get_rank()]) if _distributed() else 0
    return torch.arange(first, first + len(rows), device=rows.device)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.size = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        first = dist.get_rank() * ctx.size
        own: Tensor = total[first : first + ctx.size]
        return own


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _sizes(rows: Tensor) -> list[int]:
    own = torch.tensor([len(rows)], device=rows.device)
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, own)
    return [int(size) for size in torch.cat(parts).tolist()]
