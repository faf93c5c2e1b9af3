"""`solve` against POT in float64."""

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport import iterations
from shieldclip.transport.sinkhorn import plan_of, solve


def make_costs(seed, batch=6, patches=9, tokens=5, width=12):
    generator = torch.Generator().manual_seed(seed)
    left = normalize(torch.randn(batch, patches, width, generator=generator), dim=-1)
    right = normalize(torch.randn(batch, tokens, width, generator=generator), dim=-1)
    return 1 - left @ right.mT


def make_weights(seed, batch, size):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(batch, size, generator=generator).clamp_min(0.05)
    return weights * (torch.rand(batch, size, generator=generator) > 0.3)


def reference(cost, rows, columns, epsilon):
    """POT in float64, without masked rows and columns: plan, <T, C>, <T, C> + ε KL."""
    cost, rows, columns = (value.double().numpy() for value in (cost, rows, columns))
    open_ = np.ix_(rows > 0, columns > 0)
    a, b = rows[rows > 0] / rows.sum(), columns[columns > 0] / columns.sum()
    part = ot.bregman.sinkhorn_log(
        a, b, cost[open_], epsilon, stopThr=1e-10, numItermax=50_000, warn=False
    )
    plan = np.zeros_like(cost)
    plan[open_] = part
    linear = (part * cost[open_]).sum()
    divergence = (part * np.log(part / np.outer(a, b))).sum()
    return torch.from_numpy(plan), linear, linear + epsilon * divergence


def assert_matches_pot(solution, cost, rows, columns, epsilon, within):
    for n in range(len(cost)):
        if not (rows[n].any() and columns[n].any()):
            assert solution.linear[n] == solution.value[n] == torch.inf
            assert not solution.plan[n].any()
            continue
        plan, linear, value = reference(cost[n], rows[n], columns[n], epsilon)
        assert abs(solution.linear[n].item() - linear) < within
        assert abs(solution.value[n].item() - value) < within
        torch.testing.assert_close(solution.plan[n].double(), plan, atol=10 * within, rtol=0)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), epsilon=st.sampled_from([0.05, 0.1, 0.2]))
def test_float32_is_within_1e_5_of_pot(seed, epsilon):
    cost = make_costs(seed)
    rows, columns = make_weights(seed, 6, 9), make_weights(seed + 1, 6, 5)
    columns[0] = 0
    solution = solve(cost, rows=rows, columns=columns, epsilon=epsilon)
    assert_matches_pot(solution, cost, rows, columns, epsilon, 1e-5)
    assert solution.converged.all()


@pytest.mark.parametrize("epsilon", [0.2, 0.02, 0.005])
@pytest.mark.parametrize("dtype, within", [(torch.float32, 2e-6), (torch.float64, 1e-9)])
def test_uniform_weights_at_any_epsilon(epsilon, dtype, within):
    cost = make_costs(4, batch=2).to(dtype)
    solution = solve(
        cost,
        epsilon=epsilon,
        tolerance=1e-6 if dtype == torch.float32 else 1e-11,
        max_iterations=20_000,
    )
    assert solution.plan.dtype == dtype
    ones = torch.ones_like(cost)
    assert_matches_pot(solution, cost, ones[:, :, 0], ones[:, 0], epsilon, within)


def test_the_two_domains_agree():
    cost = make_costs(0).double()
    whole = torch.ones(6, 9, dtype=torch.float64) / 9, torch.ones(6, 5, dtype=torch.float64) / 5
    found = []
    for domain in (iterations.Scaling, iterations.LogDomain):
        state = domain(cost, *whole, 0.05)
        state.iterate(20)
        found.append((*state.potentials(0.05), state.error()))
    for scaling, log in zip(*found, strict=True):
        torch.testing.assert_close(scaling, log, atol=1e-12, rtol=0)


def test_wide_costs_among_narrow_ones_take_the_log_domain():
    cost = make_costs(1)
    cost[2] *= 100
    together = solve(cost, tolerance=1e-5, max_iterations=5000)
    alone = solve(cost[2:3], tolerance=1e-5, max_iterations=5000)
    torch.testing.assert_close(together.linear[2:3], alone.linear)
    assert together.linear.isfinite().all()


def test_potentials_give_the_plan():
    cost = make_costs(2)
    solution = solve(cost)
    rows, columns = torch.full((6, 9), 1 / 9), torch.full((6, 5), 1 / 5)
    torch.testing.assert_close(
        plan_of(cost, rows, columns, solution.potentials, 0.05), solution.plan
    )
    torch.testing.assert_close(solution.plan.sum(1), columns, atol=1e-6, rtol=0)
    assert ((solution.plan.sum(2) - rows).abs().sum(1) <= 1.1e-4).all()


def test_each_problem_stops_by_itself_whatever_its_batch(monkeypatch):
    cost = torch.cat([make_costs(seed) for seed in range(20)])
    whole = solve(cost, epsilon=0.05)
    assert whole.iterations.min() * 2 < whole.iterations.max()
    monkeypatch.setattr(iterations, "entries_at_once", lambda _: 7 * 45)
    refilled = solve(cost, epsilon=0.05)
    alone = [solve(part, epsilon=0.05) for part in cost[:10].split(1)]
    torch.testing.assert_close(whole.linear, refilled.linear, atol=1e-5, rtol=0)
    for n, one in enumerate(alone):
        assert one.iterations[0] <= whole.iterations[n]
        assert abs(one.linear[0] - whole.linear[n]) < 1e-5


def test_the_last_iteration_is_reported():
    solution = solve(make_costs(3), epsilon=0.02, tolerance=1e-6, max_iterations=5)
    assert not solution.converged.any()
    assert solution.iterations.tolist() == [5] * 6
    assert solution.linear.isfinite().all()


@pytest.mark.parametrize("shape", [(3, 1, 4), (3, 4, 1), (3, 1, 1)])
def test_one_row_or_one_column_leaves_no_choice(shape):
    cost = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    solution = solve(cost)
    torch.testing.assert_close(solution.linear, cost.mean((1, 2)))
    torch.testing.assert_close(solution.value, cost.mean((1, 2)))
    assert solution.converged.all()


def test_equal_costs_spread_evenly():
    solution = solve(torch.full((2, 3, 4), 0.7))
    torch.testing.assert_close(solution.plan, torch.full((2, 3, 4), 1 / 12))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_no_entries(shape):
    solution = solve(torch.empty(shape))
    assert solution.plan.shape == shape
    assert solution.linear.tolist() == solution.value.tolist() == [torch.inf] * shape[0]


def test_masked_entries_may_hold_anything_finite():
    cost = make_costs(5)
    rows = torch.tensor([[True] * 6 + [False] * 3]).repeat(6, 1)
    columns = torch.tensor([[True] * 3 + [False] * 2]).repeat(6, 1)
    clean = solve(cost[:, :6, :3])
    for filler in (0.0, -5.0, 1e6):
        filled = cost.masked_fill(~(rows[:, :, None] & columns[:, None]), filler)
        solution = solve(filled, rows=rows, columns=columns)
        torch.testing.assert_close(solution.linear, clean.linear, atol=1e-5, rtol=0)
        torch.testing.assert_close(solution.plan[:, :6, :3], clean.plan, atol=1e-4, rtol=0)
        assert not solution.plan[:, 6:].any() and not solution.plan[:, :, 3:].any()


def test_not_a_number_stays_with_its_problem():
    cost = make_costs(6)
    cost[1, 2, 3] = torch.nan
    solution = solve(cost)
    assert solution.linear[1].isnan() and not solution.converged[1]
    others = torch.tensor([0, 2, 3, 4, 5])
    torch.testing.assert_close(solution.linear[others], solve(cost[others]).linear)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    cost = make_costs(7).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        solution = solve(cost)
    assert solution.linear.dtype == torch.float32
    assert torch.equal(solution.linear, solve(cost.float()).linear)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"cost": torch.rand(3, 4)}, r"\[B, P, L\], got \[3, 4\]"),
        ({"rows": torch.ones(6, 5)}, r"row weights of shape \[6, 9\]"),
        ({"columns": torch.ones(6, 9)}, r"column weights of shape \[6, 5\]"),
        ({"epsilon": 0.0}, "epsilon above 0, got 0.0"),
        ({"tolerance": -1.0}, "tolerance above 0"),
        ({"max_iterations": 0}, "max_iterations above 0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ShieldCLIPError, match=message):
        solve(**({"cost": make_costs(0)} | arguments))
