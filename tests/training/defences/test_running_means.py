"""Means by key, over visits."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.defences.memory import RunningMeans

VISITS = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=12)


@given(VISITS)
def test_while_little_is_forgotten_a_mean_is_the_mean_of_its_values(visits):
    means = RunningMeans(slots=100, keep=1.0)
    for key, value in visits:
        got = means.update(torch.tensor([key]), torch.tensor([value]))
    values = torch.tensor([value for key, value in visits if key == visits[-1][0]])
    torch.testing.assert_close(got, values.mean()[None], atol=1e-5, rtol=0)


@given(VISITS)
def test_a_batch_with_repeated_keys_equals_one_visit_after_another(visits):
    keys, values = (torch.tensor(column) for column in zip(*visits, strict=True))
    together, apart = RunningMeans(100, 1.0), RunningMeans(100, 1.0)
    together.update(keys, values)
    for key, value in zip(keys, values, strict=True):
        apart.update(key[None], value[None])
    torch.testing.assert_close(together.state_dict(), apart.state_dict(), atol=1e-5, rtol=0)


def test_old_visits_fade():
    means = RunningMeans(slots=10, keep=0.5)
    key = torch.tensor([3])
    for value in (1.0, 0.0, 0.0):
        last = means.update(key, torch.tensor([value]))
    assert last.item() == 0.25


def test_what_is_unknown_changes_nothing():
    means = RunningMeans(slots=10, keep=0.5)
    got = means.update(torch.tensor([1, 1, 2]), torch.tensor([0.5, torch.nan, torch.nan]))
    assert got[0] == 0.5
    assert got[1:].isnan().all()
    assert means.state_dict()["visits"].tolist() == [0, 1]
