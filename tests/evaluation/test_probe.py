from __future__ import annotations

import numpy as np

from shieldclip.evaluation.metrics.probe import probe_predictions


def _blobs(seed: int, noise: float):
    rng = np.random.default_rng(seed)
    labels = np.arange(90) % 3
    return np.eye(3, 5)[labels] + noise * rng.standard_normal((90, 5)), labels


def test_probe_separates_what_is_separable_and_repeats_itself():
    train, labels = _blobs(0, 0.1)
    test, truth = _blobs(1, 0.1)
    predictions = probe_predictions(train, labels, test)
    assert (predictions == truth).all()
    assert (predictions == probe_predictions(train, labels, test)).all()


def test_probe_does_not_depend_on_the_scale_of_the_features():
    train, labels = _blobs(0, 0.7)
    test, _ = _blobs(1, 0.7)
    predictions = probe_predictions(train, labels, test)
    assert (predictions == probe_predictions(100 * train + 3, labels, 100 * test + 3)).all()


def test_probe_of_shuffled_labels_is_at_chance():
    train, labels = _blobs(0, 0.1)
    test, truth = _blobs(1, 0.1)
    shuffled = np.random.default_rng(5).permutation(labels)
    assert (probe_predictions(train, shuffled, test) == truth).mean() < 0.7
