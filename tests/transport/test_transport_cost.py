"""Gradients of transport costs: finite differences, and autograd through the iterations."""

import pytest
import torch
from torch.nn.functional import normalize

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport.cost import VALUES, cosine_cost, transport_cost
from shieldclip.transport.pairwise import hardest_captions, pairwise_cost

EXACT = {"tolerance": 1e-12, "max_iterations": 20_000}


def make_features(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(*shape, 6, generator=generator, dtype=torch.float64), dim=-1)


def make_costs(seed, batch=3, patches=5, tokens=4):
    return cosine_cost(make_features(seed, batch, patches), make_features(seed + 1, batch, tokens))


def unrolled(cost, epsilon, value, iterations=400):
    """The same by autograd through log-domain iterations."""
    rows, columns = cost.shape[1:]
    f = cost.new_zeros(len(cost), rows, 1)
    for _ in range(iterations):
        g = -epsilon * ((f - cost) / epsilon).logsumexp(1, keepdim=True) + epsilon * _log(rows)
        f = -epsilon * ((g - cost) / epsilon).logsumexp(2, keepdim=True) + epsilon * _log(columns)
    density = ((f + g - cost) / epsilon).exp()
    plan = density / (rows * columns)
    linear = (plan * cost).sum((1, 2))
    return linear if value == "linear" else linear + epsilon * (plan * density.log()).sum((1, 2))


def _log(count):
    return torch.tensor(float(count), dtype=torch.float64).log()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("shape", [(5, 4), (3, 5), (1, 4), (4, 1)])
def test_finite_differences(value, shape):
    cost = make_costs(0, 2, *shape).requires_grad_()
    rows = torch.rand(2, shape[0], generator=torch.Generator().manual_seed(1)) + 0.1
    columns = torch.ones(2, shape[1])
    if shape[1] > 2:
        columns[0, 1] = 0
    assert torch.autograd.gradcheck(
        lambda values: transport_cost(
            values, rows=rows, columns=columns, epsilon=0.2, value=value, **EXACT
        ),
        cost,
    )


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("epsilon", [0.05, 0.2])
def test_autograd_through_converged_iterations(value, epsilon):
    costs = [make_costs(2).requires_grad_() for _ in range(2)]
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    ours = transport_cost(costs[0], epsilon=epsilon, value=value, **EXACT)
    theirs = unrolled(costs[1], epsilon, value)
    torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)
    (ours @ weights).backward()
    (theirs @ weights).backward()
    torch.testing.assert_close(costs[0].grad, costs[1].grad, atol=1e-7, rtol=0)


@pytest.mark.parametrize("value", VALUES)
def test_float32_gradient(value):
    cost = make_costs(3, 20, 16, 7)
    gradients = []
    for dtype, exact in ((torch.float64, EXACT), (torch.float32, {"tolerance": 1e-6})):
        leaf = cost.to(dtype).detach().requires_grad_()
        transport_cost(leaf, value=value, **exact).sum().backward()
        assert leaf.grad.dtype == dtype
        gradients.append(leaf.grad.double())
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=0)


@pytest.mark.parametrize("value", VALUES)
def test_empty_problems_have_no_gradient(value):
    cost = make_costs(4).requires_grad_()
    columns = torch.ones(3, 4)
    columns[1] = 0
    result = transport_cost(cost, columns=columns, value=value)
    assert result[1] == torch.inf
    (-result).exp().sum().backward()
    assert not cost.grad[1].any()
    assert cost.grad.isfinite().all() and cost.grad[0].any()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_and_half_precision(value, dtype):
    patches = make_features(5, 3, 8).to(dtype).requires_grad_()
    tokens = make_features(6, 4, 5).to(dtype).requires_grad_()
    mask = torch.ones(4, 5, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        costs = pairwise_cost(patches, tokens, mask, value=value)
        costs.sum().backward()
    wide = pairwise_cost(patches.float(), tokens.float(), mask, value=value)
    assert costs.dtype == torch.float32 and torch.equal(costs, wide)
    assert patches.grad.dtype == dtype and patches.grad.isfinite().all()


def test_an_unknown_value_names_the_known():
    with pytest.raises(ShieldCLIPError, match="Did you mean 'linear'"):
        transport_cost(make_costs(0), value="liner")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("share", [1, 10**6])
def test_pairwise_cost_is_transport_cost_of_every_pair(value, share, monkeypatch):
    monkeypatch.setattr("shieldclip.transport.pairwise._entries_at_once", lambda _: share)
    patches, tokens = make_features(7, 4, 6), make_features(8, 5, 3)
    mask = torch.rand(5, 3, generator=torch.Generator().manual_seed(0)) > 0.3
    mask[:, 0] = True
    weights = torch.rand(4, 6, generator=torch.Generator().manual_seed(1)) + 0.1
    scores = torch.randn(4, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    candidates = torch.tensor([[0, 3], [4, 1], [2, 2], [1, 0]])

    def every_pair(left, right):
        cost = cosine_cost(left[:, None], right[None]).flatten(0, 1)
        rows, columns = weights.repeat_interleave(5, 0), mask.repeat(4, 1)
        found = transport_cost(cost, rows=rows, columns=columns, value=value, **EXACT)
        return found.view(4, 5)

    def ours(left, right, **chosen):
        return pairwise_cost(
            left, right, mask, patch_weights=weights, value=value, **EXACT, **chosen
        )

    for whole, part, upstream in (
        (every_pair, ours, scores),
        (
            lambda left, right: every_pair(left, right).gather(1, candidates),
            lambda left, right: ours(left, right, candidates=candidates),
            scores[:, :2],
        ),
    ):
        inputs = [
            (patches.clone().requires_grad_(), tokens.clone().requires_grad_()) for _ in range(2)
        ]
        results = [whole(*inputs[0]), part(*inputs[1])]
        torch.testing.assert_close(*results, atol=1e-10, rtol=0)
        for result in results:
            (result * upstream).sum().backward()
        for left, right in zip(*inputs, strict=True):
            torch.testing.assert_close(left.grad, right.grad, atol=1e-8, rtol=0)


def test_pairwise_cost_of_captions_without_words():
    patches = make_features(9, 2, 4).requires_grad_()
    mask = torch.tensor([[True, True], [False, False]])
    costs = pairwise_cost(patches, make_features(10, 2, 2), mask)
    assert costs[:, 1].tolist() == [torch.inf, torch.inf]
    torch.nn.functional.cross_entropy(-costs, torch.tensor([0, 0])).backward()
    assert not patches.grad.any()


def test_the_loose_tolerance_of_training_hardly_moves_the_gradient():
    patches, tokens = make_features(11, 16, 20), make_features(12, 16, 6)
    mask = torch.ones(16, 6, dtype=torch.bool)
    gradients = []
    for chosen in ({}, EXACT):
        leaf = patches.clone().requires_grad_()
        costs = pairwise_cost(leaf, tokens, mask, **chosen)
        torch.nn.functional.cross_entropy(-costs / 0.07, torch.arange(16)).backward()
        gradients.append(leaf.grad)
    assert (gradients[0] - gradients[1]).norm() < 0.05 * gradients[1].norm()


def test_hardest_captions_begin_with_the_own():
    similarity = torch.tensor([[0.1, 0.9, 0.5], [0.8, -1.0, 0.2]])
    own = torch.tensor([0, 1])
    assert hardest_captions(similarity, own, 2).tolist() == [[0, 1], [1, 0]]
    assert hardest_captions(similarity, own, 9).shape == (2, 3)


@pytest.mark.parametrize(
    "patches, tokens, mask, candidates, message",
    [
        ((2, 4, 6), (3, 2, 5), (3, 2), None, "from the joint space"),
        ((2, 4, 6), (3, 2, 6), (3, 3), None, r"mask of shape \[3, 2\]"),
        ((2, 4, 6), (3, 2, 6), (3, 2), (3, 1), r"candidates \[2, K\]"),
    ],
)
def test_pairwise_errors(patches, tokens, mask, candidates, message):
    chosen = None if candidates is None else torch.zeros(candidates, dtype=torch.int64)
    with pytest.raises(ShieldCLIPError, match=message):
        pairwise_cost(torch.rand(patches), torch.rand(tokens), torch.ones(mask), candidates=chosen)
