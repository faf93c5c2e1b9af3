"""Two processes train as one with the whole batch."""

from __future__ import annotations

import gather_worker
import pytest
import torch
from torch import multiprocessing

from shieldclip.training.gather import gather, own_rows


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """What each of two processes wrote."""
    folder = tmp_path_factory.mktemp("gather")
    multiprocessing.spawn(gather_worker.work, args=(2, folder), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", gather_worker.LOSSES)
def test_loss_and_gradients_equal_one_big_batch(name, two_processes):
    loss, gradients = two_processes[0][0][name]
    expected, expected_gradients = gather_worker.run(name, 0, gather_worker.PAIRS)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    assert gradients.keys() == expected_gradients.keys()
    assert max(gradient.abs().max() for gradient in expected_gradients.values()) > 1e-3
    for parameter, gradient in expected_gradients.items():
        torch.testing.assert_close(gradients[parameter], gradient, atol=1e-5, rtol=0)


def test_uneven_rows_stack_in_order_and_sum_their_gradients(two_processes):
    for rank, rows in enumerate(([0, 1], [2, 3, 4])):
        record = two_processes[rank][1]
        assert record["stacked"].tolist() == [0, 1, 0, 1, 2]
        assert record["rows"].tolist() == rows
        assert record["gradient"].tolist() == [3 * (row + 1) for row in rows]


def test_rows_of_different_length_are_filled_up(two_processes):
    for _, record in two_processes:
        assert record["ragged"].tolist() == [[0, -1], [1, 1]]


def test_one_process_keeps_its_rows():
    rows = torch.rand(3, 2)
    assert gather(rows) is rows
    assert own_rows(rows).tolist() == [0, 1, 2]
