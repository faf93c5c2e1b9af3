"""Other ways to compute the distances of images to captions: one class a library or approach.

Every peer gets what `shieldclip.transport` gets, patch and word features, makes its own cost
matrices, pads captions to the longest where it needs to, and solves every pair. All but POT's loop
work in float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from shieldclip.transport import Bags

MOST_ITERATIONS = 1000


class Peer(Protocol):
    """One way to compute distances, with its settings."""

    def distances(self, patches: Tensor, captions: Bags, epsilon: float) -> Tensor:
        """``[N]`` of one image ``[P, D]``."""


@dataclass(frozen=True)
class Problems:
    """Costs ``[N, P, L]`` of one image with N captions and weights ``[N, P]``, ``[N, L]``."""

    cost: Tensor
    rows: Tensor
    columns: Tensor


def padded_problems(patches: Tensor, captions: Bags) -> Problems:
    """One image ``[P, D]``; padding has cost 1 and weight 0."""
    words, mask = captions.pad()
    cost = 1 - torch.einsum("pd,nld->npl", patches, words)
    columns = mask / mask.sum(1, keepdim=True)
    return Problems(cost, torch.full(cost.shape[:2], 1 / len(patches)), columns)


def by_chunks(
    solve: Callable[[Problems], Tensor], patches: Tensor, captions: Bags, chunk: int
) -> Tensor:
    """Distances ``[N]`` of one image, ``chunk`` captions at a time."""
    parts = torch.split(torch.arange(len(captions)), chunk)
    return torch.cat([solve(padded_problems(patches, captions.select(part))) for part in parts])


@dataclass(frozen=True)
class PotLoop:
    """`ot.sinkhorn` in float64, pair by pair."""

    stop: float = 1e-6

    def distances(self, patches: Tensor, captions: Bags, epsilon: float) -> Tensor:
        """``[N]`` of one image ``[P, D]``."""
        import ot

        image = patches.double().numpy()
        found = []
        for words in torch.split(captions.features, captions.sizes.tolist()):
            cost = 1 - image @ words.double().numpy().T
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plan = ot.sinkhorn(
                    [], [], cost, epsilon, stopThr=self.stop, numItermax=MOST_ITERATIONS
                )
            found.append(float((plan * cost).sum()))
        return torch.tensor(found)


@dataclass(frozen=True)
class PotBatch:
    """`ot.batch.solve_batch` on torch tensors."""

    chunk: int
    tolerance: float

    def distances(self, patches: Tensor, captions: Bags, epsilon: float) -> Tensor:
        """As `PotLoop.distances`."""
        import ot.batch

        def solve(problems: Problems) -> Tensor:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = ot.batch.solve_batch(
                    problems.cost, epsilon, problems.rows, problems.columns, method="sinkhorn",
                    max_iter=MOST_ITERATIONS, tol=self.tolerance, grad="detach",
                )  # fmt: skip
            return torch.as_tensor(result.value_linear)

        return by_chunks(solve, patches, captions, self.chunk)


@dataclass(frozen=True)
class Compiled:
    """Sinkhorn scaling under `torch.compile`, ten iterations between looks at the error."""

    chunk: int = 128
    tolerance: float = 1e-4

    def distances(self, patches: Tensor, captions: Bags, epsilon: float) -> Tensor:
        """As `PotLoop.distances`. Captions are padded alike: another shape compiles anew."""
        longest = int(captions.sizes.max())

        def solve(problems: Problems) -> Tensor:
            padding = (0, longest - problems.cost.shape[2])
            columns = torch.nn.functional.pad(problems.columns, padding)
            cost = torch.nn.functional.pad(problems.cost, padding)
            kernel = torch.exp(-cost / epsilon)
            u, v = torch.ones_like(problems.rows), torch.ones_like(columns)
            for _ in range(MOST_ITERATIONS // 10):
                u, v, sums = _ten_iterations(kernel, problems.rows, columns, u, v)
                if (sums - problems.rows).abs().sum(1).max() < self.tolerance:
                    break
            linear = (u[:, :, None] * kernel * v[:, None, :] * cost).sum((1, 2))
            return linear + ((problems.rows - sums) * epsilon * u.log()).sum(1)

        return by_chunks(solve, patches, captions, self.chunk)


@torch.compile(dynamic=False)
def _ten_iterations(
    kernel: Tensor, rows: Tensor, columns: Tensor, u: Tensor, v: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    for _ in range(10):
        u = rows / (kernel * v[:, None, :]).sum(2)
        v = columns / (kernel * u[:, :, None]).sum(1)
    return u, v, u * (kernel * v[:, None, :]).sum(2)


@dataclass(frozen=True)
class OttJax:
    """`ott.solvers.linear.sinkhorn` under vmap and jit, in the scaling domain."""

    chunk: int = 250
    tolerance: float = 1e-4

    def distances(self, patches: Tensor, captions: Bags, epsilon: float) -> Tensor:
        """As `PotLoop.distances`. Captions are padded alike: another shape compiles anew."""
        longest = int(captions.sizes.max())
        solve_all = _ott_solver(epsilon, self.tolerance)

        def solve(problems: Problems) -> Tensor:
            padding = (0, longest - problems.cost.shape[2])
            cost = torch.nn.functional.pad(problems.cost, padding)
            columns = torch.nn.functional.pad(problems.columns, padding)
            found = solve_all(cost.numpy(), problems.rows.numpy(), columns.numpy())
            return torch.tensor(found.tolist())

        return by_chunks(solve, patches, captions, self.chunk)


_SOLVERS: dict[tuple[float, float], Callable[..., object]] = {}


def _ott_solver(epsilon: float, tolerance: float) -> Callable[..., object]:
    """Compiled once per setting."""
    if (epsilon, tolerance) not in _SOLVERS:
        import jax
        from ott.geometry import geometry
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn

        solver = sinkhorn.Sinkhorn(
            threshold=tolerance, max_iterations=MOST_ITERATIONS, lse_mode=False
        )

        def one(cost: object, rows: object, columns: object) -> object:
            geom = geometry.Geometry(cost_matrix=cost, epsilon=epsilon)
            out = solver(linear_problem.LinearProblem(geom, rows, columns))
            return (out.matrix * cost).sum()

        _SOLVERS[epsilon, tolerance] = jax.jit(jax.vmap(one))
    return _SOLVERS[epsilon, tolerance]
