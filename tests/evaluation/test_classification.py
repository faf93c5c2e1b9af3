from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.evaluation.metrics import classification
from shieldclip.evaluation.metrics.classification import (
    count_targets,
    hits_in_top,
    top_classes,
    worst_target,
)

predictions_and_labels = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60
)


def asr_by_hand(predictions, labels, target):
    """Attack success rate counted picture by picture, as threats-and-metrics defines it."""
    counted = 0
    fooled = 0
    for predicted, label in zip(predictions, labels, strict=True):
        if label == target:
            continue
        counted += 1
        if predicted == target:
            fooled += 1
    return fooled, counted


@given(predictions_and_labels)
def test_counts_of_every_target_equal_a_count_by_hand(pairs):
    predictions, labels = map(list, zip(*pairs, strict=True))
    counts = count_targets(torch.tensor(predictions), torch.tensor(labels), classes=5)
    for target in range(5):
        fooled, counted = asr_by_hand(predictions, labels, target)
        assert counts.as_target[target] == fooled
        assert counts.pictures[target] == counted
        kept = sum(p == y != target for p, y in pairs)
        assert counts.as_label[target] == kept


def test_pictures_of_the_target_never_count():
    labels = torch.full((10,), 2)
    counts = count_targets(torch.full((10,), 2), labels, classes=3)
    assert counts.pictures[2] == counts.as_target[2] == counts.as_label[2] == 0


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([torch.float32, torch.float64])
)
def test_top_classes_equal_a_stable_sort(seed, classes, dtype):
    generator = torch.Generator().manual_seed(seed)
    # Small integers make ties common and the products exact.
    images = torch.randint(-2, 3, (17, 4), generator=generator).to(dtype)
    texts = torch.randint(-2, 3, (classes, 4), generator=generator).to(dtype)
    expected = np.argsort(-(images.numpy() @ texts.numpy().T), axis=1, kind="stable")[:, :5]
    assert np.array_equal(top_classes(images, texts, 5).numpy(), expected)


def test_blocks_do_not_change_the_ranking(monkeypatch):
    images, texts = torch.randn(50, 8), torch.randn(7, 8)
    whole = top_classes(images, texts, 5)
    monkeypatch.setattr(classification, "_BLOCK", 10)
    assert torch.equal(top_classes(images, texts, 5), whole)


def test_hits_in_top_looks_at_the_first_k_only():
    top = torch.tensor([[3, 1, 0], [2, 0, 1], [0, 2, 3]])
    wanted = torch.tensor([3, 0, 1])
    assert [hits_in_top(top, wanted, k) for k in (1, 2, 3)] == [1, 2, 2]


def test_the_worst_target_is_the_one_with_the_largest_excess():
    labels = torch.arange(4).repeat(25)
    clean = labels.clone()
    clean[labels == 1] = 0  # class 0 is predicted often even without a trigger
    attacked = clean.clone()
    attacked[labels == 2] = 3
    counts = [count_targets(predictions, labels, 4) for predictions in (attacked, clean)]
    assert worst_target(*counts) == 3
