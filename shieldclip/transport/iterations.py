"""Sinkhorn iterations on many problems, each stopping by itself.

Two domains with one interface. `Scaling` multiplies: one pass over the kernel per half step, but
``exp`` underflows where costs spread over more than about 80 ε (float32). `LogDomain` subtracts:
several times slower, right at any ε.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CHECK_EVERY = 5
"""Iterations between looks at the error: a look costs about half an iteration."""
WORTH_DROPPING = 0.25
"""Share of finished problems from which copying the others costs less than iterating them all."""


@dataclass(frozen=True, eq=False)
class Stop:
    """Where B problems stopped."""

    f: Tensor
    """``[B, P]`` row potentials."""
    g: Tensor
    """``[B, L]`` column potentials."""
    iterations: Tensor
    """``[B]`` int64."""
    converged: Tensor
    """``[B]`` bool."""


class Domain:
    """State of R problems: kept and joined together."""

    rows: Tensor
    columns: Tensor
    f0: Tensor
    """``[R, P]`` row minima of the cost."""
    g0: Tensor
    """``[R, L]`` column minima of what is left."""

    def reduce(self, cost: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """``C - f0 - g0``, ``[R, P, L]``, minima being over entries of positive weight.

        Every row and column then has a zero, so that none of ``exp(-R / ε)`` vanishes.
        """
        self.rows, self.columns = rows, columns
        # Minima over the few columns of many rows are several times faster on the transpose.
        turned = cost.transpose(1, 2).contiguous()
        self.f0 = (turned + _infinite_where(columns == 0)[:, :, None]).amin(1)
        turned = turned - self.f0[:, None, :]
        self.g0 = (turned + _infinite_where(rows == 0)[:, None, :]).amin(2)
        return turned.sub_(self.g0[:, :, None]).clamp_min_(0).transpose(1, 2)

    def keep(self, problems: Tensor) -> None:
        """Go on with these only."""
        for name, value in vars(self).items():
            setattr(self, name, value[problems])

    def join(self, others: Domain) -> None:
        """Go on with more problems, in the same domain."""
        for name, value in vars(self).items():
            setattr(self, name, torch.cat([value, getattr(others, name)]))


class Scaling(Domain):
    """``T = u K w``, ``K = exp(-R / ε)``, dividing by row and column sums in turn."""

    def __init__(self, cost: Tensor, rows: Tensor, columns: Tensor, epsilon: float) -> None:
        """Costs ``[R, P, L]``, weights ``[R, P]`` and ``[R, L]``."""
        kernel = self.reduce(cost, rows, columns).mul_(-1 / epsilon).exp_()
        # A row vector times a contiguous matrix is several times faster than matrix times column.
        self.kernel = kernel.contiguous()
        self.transposed = kernel.transpose(1, 2).contiguous()
        self.next_row_sums = _times(columns, self.transposed)
        self.row_sums, self.column_sums = self.next_row_sums, columns

    def iterate(self, steps: int) -> None:
        """Fit rows, then columns, this many times."""
        for _ in range(steps):
            self.row_sums = self.next_row_sums
            self.column_sums = _times(self.rows / self.row_sums, self.kernel)
            self.next_row_sums = _times(self.columns / self.column_sums, self.transposed)

    def error(self) -> Tensor:
        """``[R]`` L1 distance of row sums from the row weights; column sums are exact."""
        return (self.rows * (self.next_row_sums / self.row_sums - 1)).abs_().sum(1)

    def potentials(self, epsilon: float) -> tuple[Tensor, Tensor]:
        """``[R, P]`` and ``[R, L]``."""
        return self.f0 - epsilon * self.row_sums.log(), self.g0 - epsilon * self.column_sums.log()


class LogDomain(Domain):
    """Logarithms of the sums that `Scaling` divides by."""

    def __init__(self, cost: Tensor, rows: Tensor, columns: Tensor, epsilon: float) -> None:
        """As `Scaling`."""
        exponent = self.reduce(cost, rows, columns).mul_(-1 / epsilon)
        self.along_rows = exponent + columns.log()[:, None, :]  # -inf in masked columns
        self.along_columns = exponent + rows.log()[:, :, None]
        self.next_row_logs = self.along_rows.logsumexp(2)
        self.row_logs, self.column_logs = self.next_row_logs, columns

    def iterate(self, steps: int) -> None:
        """See `Scaling`."""
        for _ in range(steps):
            self.row_logs = self.next_row_logs
            self.column_logs = (self.along_columns - self.row_logs[:, :, None]).logsumexp(1)
            self.next_row_logs = (self.along_rows - self.column_logs[:, None, :]).logsumexp(2)

    def error(self) -> Tensor:
        """See `Scaling`."""
        return (self.rows * (self.next_row_logs - self.row_logs).expm1()).abs_().sum(1)

    def potentials(self, epsilon: float) -> tuple[Tensor, Tensor]:
        """See `Scaling`."""
        return self.f0 - epsilon * self.row_logs, self.g0 - epsilon * self.column_logs


@dataclass(frozen=True, eq=False)
class Problems:
    """B problems and where to stop.

    `max_iterations` is rounded up to a look at the error.
    """

    cost: Tensor
    """``[B, P, L]``."""
    rows: Tensor
    """``[B, P]`` weights."""
    columns: Tensor
    """``[B, L]`` weights."""
    epsilon: float
    tolerance: float
    max_iterations: int

    def start(self, domain: type[Scaling] | type[LogDomain], some: Tensor) -> Scaling | LogDomain:
        """The initial state of these problems ``[R]``."""
        return domain(self.cost[some], self.rows[some], self.columns[some], self.epsilon)


def exponent_limit(dtype: torch.dtype) -> float:
    """Spread of costs, in units of ε, up to which the scaling domain neither under- nor overflows.

    Nine tenths of the largest exponent (80 in float32); the rest is for the weights.
    """
    return 0.9 * math.log(torch.finfo(dtype).max)


def entries_at_once(device: torch.device) -> int:
    """Entries of cost matrices worked on together: what a CPU's second-level cache holds."""
    return 2**18 if device.type == "cpu" else 2**26


def iterate_each(problems: Problems) -> Stop:
    """Iterate each problem to its own convergence, in the domain that suits its spread.

    A problem whose error is no longer a number stops unconverged.
    """
    cost = problems.cost
    stop = Stop(
        f=torch.empty_like(problems.rows),
        g=torch.empty_like(problems.columns),
        iterations=torch.empty(len(cost), dtype=torch.int64, device=cost.device),
        converged=torch.empty(len(cost), dtype=torch.bool, device=cost.device),
    )
    # NaN compares false: the log domain gets it, and stops at the first look.
    spread = cost.amax((1, 2)) - cost.amin((1, 2))
    narrow = spread <= exponent_limit(cost.dtype) * problems.epsilon
    _run(Scaling, narrow.nonzero().squeeze(1), problems, stop)
    _run(LogDomain, (~narrow).nonzero().squeeze(1), problems, stop)
    return stop


def _run(
    domain: type[Scaling] | type[LogDomain], waiting: Tensor, problems: Problems, stop: Stop
) -> None:
    """Iterate the waiting problems, refilling the batch as problems leave it.

    Problems differ several times in iterations: in batches that begin and end together, most
    would wait for the slowest.
    """
    size = max(1, entries_at_once(problems.cost.device) // problems.cost[0].numel())
    running, waiting = waiting[:size], waiting[size:]
    state, ages = problems.start(domain, running), torch.zeros_like(running)
    while len(running):
        state.iterate(CHECK_EVERY)
        ages = ages + CHECK_EVERY
        error = state.error()
        converged = error <= problems.tolerance
        expired = ages >= problems.max_iterations
        finished = converged | ~error.isfinite() | expired
        if int(finished.sum() + expired.any() * len(running)) < WORTH_DROPPING * len(running):
            continue
        out = running[finished]
        f, g = state.potentials(problems.epsilon)
        stop.f[out], stop.g[out] = f[finished], g[finished]
        stop.iterations[out], stop.converged[out] = ages[finished], converged[finished]
        state.keep(~finished)
        running, ages = running[~finished], ages[~finished]
        free = size - len(running)
        if len(waiting) and 2 * free >= size:
            new, waiting = waiting[:free], waiting[free:]
            state.join(problems.start(domain, new))
            running, ages = torch.cat([running, new]), torch.cat([ages, torch.zeros_like(new)])


def _times(vectors: Tensor, matrices: Tensor) -> Tensor:
    """``[B, R] x [B, R, S] -> [B, S]``."""
    return torch.bmm(vectors[:, None], matrices).squeeze(1)


def _infinite_where(mask: Tensor) -> Tensor:
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(mask, torch.inf)
