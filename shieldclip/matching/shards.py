"""Work cut into shards: one safetensors file each, made by one process and read by all.

A shard is written to a temporary name and renamed, so that a file that is there is whole. That is
all that processes need to work together: no process group, only a folder that they share.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from shieldclip.drafts import drafted_per_process
from shieldclip.errors import ShieldCLIPError
from shieldclip.progress import progress_bar

Arrays = dict[str, Tensor]
_PAUSE = 0.2  # seconds between two looks for the files of other processes


@dataclass(frozen=True)
class Worker:
    """One of several processes, numbered as ``torchrun`` does."""

    rank: int = 0
    world: int = 1

    @staticmethod
    def from_environment() -> Worker:
        """By the variables RANK and WORLD_SIZE; alone without them.

        Raises:
            ShieldCLIPError: they are no such numbers.
        """
        given = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
        try:
            worker = Worker(*map(int, given))
        except ValueError:
            worker = Worker(0, 0)
        if not 0 <= worker.rank < worker.world:
            raise ShieldCLIPError(
                f"Expected 0 <= RANK < WORLD_SIZE in the environment, got {given[0]!r} and "
                f"{given[1]!r}; start with torchrun, or unset both."
            )
        return worker

    @property
    def leads(self) -> bool:
        """Whether this process puts the results together."""
        return self.rank == 0

    def own(self, shards: int) -> range:
        """The shards that this process makes."""
        return range(self.rank, shards, self.world)


def cut(total: int, size: int) -> list[range]:
    """``total`` things in shards of nearly equal size, at most ``size``."""
    count = -(-total // size)
    bounds = [total * i // count for i in range(count + 1)]
    return [range(a, b) for a, b in pairwise(bounds)]


def save_shard(path: Path, arrays: Arrays) -> None:
    """Write all or nothing."""
    with drafted_per_process(path) as draft:
        save_file({name: array.contiguous() for name, array in arrays.items()}, draft)


def load_shard(path: Path) -> Arrays | None:
    """The arrays, memory-mapped; ``None`` if there are none, or not whole."""
    if not path.exists():
        return None
    try:
        return load_file(path)
    except SafetensorError:
        path.unlink()  # damaged from outside; our own writes are all or nothing
        return None


def wait_for(paths: Sequence[Path], what: str) -> None:
    """Until every file is there."""
    missing = [path for path in paths if not path.exists()]
    if not missing:
        return
    with progress_bar(f"waiting for {what} of other processes", len(missing)) as advance:
        while missing:
            time.sleep(_PAUSE)
            left = [path for path in missing if not path.exists()]
            advance(len(missing) - len(left))
            missing = left


def half(features: Tensor) -> Tensor:
    """For the disk: unit vectors lose ten times less in float16 than in bfloat16."""
    return features.to(torch.float16)
