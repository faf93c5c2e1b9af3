"""Differentiable transport costs.

`regularised` is ``V = <T, C> + ε KL(T || a b)``: its gradient is the plan T itself (envelope
theorem), so that a backward pass costs one multiplication, and an error in T moves V only in
second order. `linear` is ``d = <T, C>``, the distance that search uses; its gradient is not T but
``T - T o (C - α ⊕ β) / ε``, where α ⊕ β is the T-weighted least-squares fit of C by a term per row
and a term per column: one L x L system a problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from shieldclip.errors import unknown_name
from shieldclip.transport.sinkhorn import Solution, solve


def cosine_cost(patches: Tensor, tokens: Tensor) -> Tensor:
    """``1 - cos`` of unit vectors, in float32 or wider, under autocast too.

    Args:
        patches: ``[..., P, D]``.
        tokens: ``[..., L, D]``.

    Returns:
        ``[..., P, L]`` in [0, 2].
    """
    with torch.autocast(patches.device.type, enabled=False):
        return 1 - widen(patches) @ widen(tokens).transpose(-1, -2)


def transport_cost(
    cost: Tensor,
    *,
    rows: Tensor | None = None,
    columns: Tensor | None = None,
    epsilon: float = 0.05,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    value: str = "regularised",
) -> Tensor:
    """Transport costs of B problems, differentiable in `cost` (once; not in the weights).

    The backward pass does not iterate; it holds the plan and, for `linear`, the cost.

    Args:
        cost: ``[B, P, L]``; half precision is computed in float32.
        rows: ``[B, P]`` weights; see `solve`.
        columns: ``[B, L]`` weights.
        epsilon: strength ε of the entropy.
        tolerance: of the L1 error of row sums.
        max_iterations: where a problem stops unconverged.
        value: ``regularised`` or ``linear``.

    Returns:
        ``[B]``; infinite, with gradient 0, where all rows or all columns are masked.

    Raises:
        ShieldCLIPError: for an unknown value, shapes that do not fit, or settings out of range.
    """
    result: Tensor = _TransportCost.apply(
        cost, rows, columns, epsilon, tolerance, max_iterations, find_value(value)
    )
    return result


def regularised_gradient(plan: Tensor, _cost: Tensor, _epsilon: float) -> Tensor:
    """dV/dC: the plan, ``[B, P, L]``."""
    return plan


def linear_gradient(plan: Tensor, cost: Tensor, epsilon: float) -> Tensor:
    """dd/dC, ``[B, P, L]``."""
    if plan.shape[1] < plan.shape[2]:  # The system has the size of the columns.
        turned = linear_gradient(plan.transpose(1, 2), cost.transpose(1, 2), epsilon)
        return turned.transpose(1, 2)
    alpha, beta = _separable_fit(plan, cost)
    return plan - plan * (cost - alpha[:, :, None] - beta[:, None, :]) / epsilon


@dataclass(frozen=True)
class Value:
    """What of a solution is differentiated, and how."""

    of: Callable[[Solution], Tensor]
    gradient: Callable[[Tensor, Tensor, float], Tensor]
    """Plan, cost, ε -> derivative by the cost."""


VALUES = {
    "regularised": Value(lambda solution: solution.value, regularised_gradient),
    "linear": Value(lambda solution: solution.linear, linear_gradient),
}


def find_value(name: str) -> Value:
    """The entry of `VALUES`.

    Raises:
        ShieldCLIPError: where there is none.
    """
    if name not in VALUES:
        raise unknown_name("transport value", name, VALUES)
    return VALUES[name]


class _TransportCost(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        cost: Tensor,
        rows: Tensor | None,
        columns: Tensor | None,
        epsilon: float,
        tolerance: float,
        max_iterations: int,
        value: Value,
    ) -> Tensor:
        solution = solve(
            cost,
            rows=rows,
            columns=columns,
            epsilon=epsilon,
            tolerance=tolerance,
            max_iterations=max_iterations,
        )
        ctx.save_for_backward(solution.plan, cost)
        ctx.epsilon, ctx.value = epsilon, value
        return value.of(solution)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        plan, cost = ctx.saved_tensors
        with torch.autocast(cost.device.type, enabled=False):
            by_cost = ctx.value.gradient(plan, cost.to(plan.dtype), ctx.epsilon)
        return (by_cost * gradient[:, None, None]).to(cost.dtype), *(None,) * 6


def _separable_fit(plan: Tensor, cost: Tensor) -> tuple[Tensor, Tensor]:
    """α ``[B, P]``, β ``[B, L]`` of least ``Σ T (C - α ⊕ β)²``.

    Normal equations with α eliminated and columns scaled to a unit diagonal. The constant that
    may move between α and β is fixed by adding the projection on that direction.
    """
    weighted = plan * cost
    row_sums, column_sums = plan.sum(2), plan.sum(1)
    per_row = _inverse(row_sums)
    scale = _inverse(column_sums.sqrt())
    root = column_sums.sqrt()
    part = plan * scale[:, None, :]
    system = root[:, :, None] * root[:, None, :] - (part * per_row[:, :, None]).mT @ part
    system.diagonal(dim1=1, dim2=2).add_(1)
    row_means = weighted.sum(2) * per_row
    right = scale * weighted.sum(1) - (part.mT @ row_means[:, :, None]).squeeze(2)
    solution, _ = torch.linalg.solve_ex(system, right[:, :, None])
    beta = scale * solution.squeeze(2)
    alpha = row_means - (plan @ beta[:, :, None]).squeeze(2) * per_row
    return alpha, beta


def _inverse(values: Tensor) -> Tensor:
    """1 / x, and 0 for masked rows and columns."""
    return torch.where(values > 0, 1 / values.clamp_min(torch.finfo(values.dtype).tiny), 0)


def widen(values: Tensor) -> Tensor:
    """fp16 and bf16 become float32; wider types stay."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
