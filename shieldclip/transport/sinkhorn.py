"""Entropic optimal transport on batches of small problems, without autograd.

For costs C, weights a and b, and ε > 0, the plan is ``T = argmin <T, C> + ε KL(T || a b)`` over
plans with marginals a and b (Cuturi, NeurIPS 2013). Gradients are in
`shieldclip.transport.cost`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport.iterations import (
    Problems,
    Stop,
    entries_at_once,
    exponent_limit,
    iterate_each,
)


@dataclass(frozen=True, eq=False)
class Solution:
    """Solutions of B problems with P rows and L columns.

    Where a problem has no row or no column of positive weight, `plan` is 0, and `linear` and
    `value` are infinite. Where a cost is not a number, so are they, and `converged` is false.
    """

    plan: Tensor
    """``[B, P, L]``; column sums are exact, row sums within the tolerance."""
    linear: Tensor
    """``[B]``, ``<T, C>``, corrected for the error left in the row sums."""
    value: Tensor
    """``[B]``, ``<T, C> + ε KL(T || a b)``, by its dual."""
    potentials: tuple[Tensor, Tensor]
    """f ``[B, P]`` and g ``[B, L]`` with ``T = a b exp((f + g - C) / ε)``."""
    iterations: Tensor
    """``[B]`` int64."""
    converged: Tensor
    """``[B]`` bool: the row sums are within the tolerance."""


@torch.no_grad()
def solve(
    cost: Tensor,
    *,
    rows: Tensor | None = None,
    columns: Tensor | None = None,
    epsilon: float = 0.05,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
) -> Solution:
    """Solve B problems, each to its own convergence.

    Problems are worked on a cache-sized share at a time, in the scaling domain where costs spread
    over no more than 80 ε (float64: 638 ε), in the log domain elsewhere; problems that have
    converged leave the batch. Others in the batch change a result by less than the tolerance does.

    Args:
        cost: ``[B, P, L]``; half precision is computed in float32. Masked entries may be any
            finite number.
        rows: ``[B, P]`` weights, normalised here; 0 or False masks a row. Uniform unless given.
        columns: ``[B, L]`` weights, likewise.
        epsilon: strength ε of the entropy, in units of the cost.
        tolerance: of the L1 error of row sums. float32 reaches about 1e-6.
        max_iterations: where a problem stops unconverged, rounded up to a multiple of 5.

    Raises:
        ShieldCLIPError: for shapes that do not fit, or settings out of range.
    """
    check_shapes(cost, rows, columns)
    check_settings(epsilon, tolerance, max_iterations)
    with torch.autocast(cost.device.type, enabled=False):  # It would narrow the products.
        cost = cost.to(torch.promote_types(cost.dtype, torch.float32))
        weights = weights_of(rows, cost, 1), weights_of(columns, cost, 2)
        if cost.numel() == 0:
            return _blank(cost)
        empty = (weights[0].sum(1) == 0) | (weights[1].sum(1) == 0)
        # An empty problem is solved as if nothing were masked; its results are overwritten.
        a, b = (torch.where(empty[:, None], 1 / given.shape[1], given) for given in weights)
        problems = Problems(cost, a, b, epsilon, tolerance, max_iterations)
        return _evaluate(problems, iterate_each(problems), empty)


def plan_of(
    cost: Tensor, rows: Tensor, columns: Tensor, potentials: tuple[Tensor, Tensor], epsilon: float
) -> Tensor:
    """``T = a b exp((f + g - C) / ε)``: ``[B, P, L]``."""
    f, g = potentials
    exponent = (f[:, :, None] + g[:, None, :]).sub_(cost).div_(epsilon)
    exponent.clamp_max_(exponent_limit(cost.dtype))  # In masked entries, 0 times inf is NaN.
    return exponent.exp_().mul_(rows[:, :, None]).mul_(columns[:, None, :])


def weights_of(given: Tensor | None, cost: Tensor, dimension: int) -> Tensor:
    """``[B, size of the dimension]``, sums to 1, or to 0 where all are masked."""
    shape = (len(cost), cost.shape[dimension])
    if given is None:
        return cost.new_full((1, 1), 1 / max(1, shape[1])).expand(shape)
    weights = given.to(cost)
    return weights / weights.sum(1, keepdim=True).clamp_min(torch.finfo(cost.dtype).tiny)


def check_shapes(cost: Tensor, rows: Tensor | None, columns: Tensor | None) -> None:
    """Raise `ShieldCLIPError` unless weights fit the costs."""
    if cost.ndim != 3:
        raise ShieldCLIPError(
            f"Expected costs of shape [B, P, L], got {list(cost.shape)}; "
            "add a batch dimension of 1 for a single problem."
        )
    for name, weights, dimension in (("row", rows, 1), ("column", columns, 2)):
        shape = [cost.shape[0], cost.shape[dimension]]
        if weights is not None and list(weights.shape) != shape:
            raise ShieldCLIPError(
                f"Expected {name} weights of shape {shape} for costs {list(cost.shape)}, got "
                f"{list(weights.shape)}; give one weight per {name}."
            )


def check_settings(epsilon: float, tolerance: float, max_iterations: int) -> None:
    """Raise `ShieldCLIPError` for a setting that is not above 0."""
    settings = {"epsilon": epsilon, "tolerance": tolerance, "max_iterations": max_iterations}
    for name, setting in settings.items():
        if not setting > 0:
            raise ShieldCLIPError(
                f"Expected {name} above 0, got {setting}; leave it out for the default."
            )


def _evaluate(problems: Problems, stop: Stop, empty: Tensor) -> Solution:
    """Plans and values of the potentials found."""
    count, height, width = problems.cost.shape
    share = max(1, entries_at_once(empty.device) // (height * width))
    parts = [
        _plan_and_linear(problems, stop, slice(first, first + share))
        for first in range(0, count, share)
    ]
    plan = torch.cat([plan for plan, _ in parts])
    plan[empty] = 0
    linear = torch.cat([linear for _, linear in parts])
    value = (problems.rows * stop.f).sum(1) + (problems.columns * stop.g).sum(1)
    return Solution(
        plan=plan,
        linear=linear.masked_fill_(empty, torch.inf),
        value=value.masked_fill_(empty, torch.inf),
        potentials=(stop.f, stop.g),
        iterations=stop.iterations,
        converged=stop.converged,
    )


def _plan_and_linear(problems: Problems, stop: Stop, some: slice) -> tuple[Tensor, Tensor]:
    cost, rows, f = problems.cost[some], problems.rows[some], stop.f[some]
    plan = plan_of(cost, rows, problems.columns[some], (f, stop.g[some]), problems.epsilon)
    # Missing mass costs about what its row potential says.
    return plan, (plan * cost).sum((1, 2)) + ((rows - plan.sum(2)) * f).sum(1)


def _blank(cost: Tensor) -> Solution:
    """Of no problems, or of problems without rows or without columns."""
    batch, height, width = cost.shape
    return Solution(
        plan=torch.zeros_like(cost),
        linear=cost.new_full((batch,), torch.inf),
        value=cost.new_full((batch,), torch.inf),
        potentials=(cost.new_zeros(batch, height), cost.new_zeros(batch, width)),
        iterations=torch.zeros(batch, dtype=torch.int64, device=cost.device),
        converged=torch.ones(batch, dtype=torch.bool, device=cost.device),
    )
