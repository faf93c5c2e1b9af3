"""What a nearest-caption search answers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class SearchStats:
    """How much work a search did.

    Attributes:
        pairs: Image-caption pairs looked at, empty captions left out.
        solved: Transport problems begun on exact cosines, those given up as beaten included.
        pruned: Pairs that a lower bound excluded; ``pairs = solved + pruned``.
        iterations: Sinkhorn iterations of all solved problems.
        unconverged: Problems that stopped at ``max_iterations`` instead of ``tolerance``.
        buffer_bytes: Memory the search worked in, apart from its inputs and outputs; 0 where the
            backend does not count it.
    """

    pairs: int
    solved: int
    pruned: int
    iterations: int
    unconverged: int
    buffer_bytes: int = 0


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest caption of every image.

    Attributes:
        index: ``[I]`` int64 on the CPU; -1 where no caption has a word.
        distance: ``[I]`` float32 on the CPU; infinite where the index is -1.
        stats: The work done.
    """

    index: Tensor
    distance: Tensor
    stats: SearchStats
