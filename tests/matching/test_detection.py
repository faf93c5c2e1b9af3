"""Detection figures, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import detect


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    flags = rng.random(400) < 0.15
    scores = np.round(rng.normal(size=400) + 1.5 * flags, 1)
    found = detect(scores, flags)
    assert found.roc_auc.value == pytest.approx(roc_auc_score(flags, scores))
    assert found.pr_auc.value == pytest.approx(average_precision_score(flags, scores))
    fpr, tpr, _ = roc_curve(flags, scores, drop_intermediate=False)
    assert found.fpr_at_95.value == pytest.approx(fpr[tpr >= 0.95][0])
    for figure in (found.roc_auc, found.pr_auc, found.fpr_at_95):
        assert figure.low <= figure.value <= figure.high
        assert figure.low < figure.high
    assert (found.poisoned, found.clean) == (flags.sum(), (~flags).sum())


def test_perfect_and_useless_scores():
    flags = np.arange(100) < 10
    perfect = detect(-np.arange(100), flags)
    assert (perfect.roc_auc.value, perfect.pr_auc.value, perfect.fpr_at_95.value) == (1, 1, 0)
    useless = detect(np.zeros(100), flags)
    assert useless.roc_auc.value == 0.5
    assert useless.fpr_at_95.value == 1


def test_infinite_scores_count_as_most_suspicious():
    assert detect([np.inf, 0.1, 0.2], [True, False, False]).roc_auc.value == 1


def test_interval_narrows_with_the_data():
    rng = np.random.default_rng(0)
    widths = []
    for count in (100, 10_000):
        flags = rng.random(count) < 0.2
        figure = detect(rng.normal(size=count) + flags, flags).roc_auc
        widths.append(figure.high - figure.low)
    assert widths[1] < widths[0] / 4


@pytest.mark.parametrize(
    ("scores", "flags", "message"),
    [
        ([0.1, 0.2], [False, False], "0 poisoned of 2"),
        ([0.1, 0.2], [True, True], "2 poisoned of 2"),
        ([0.1, np.nan], [True, False], "NaN"),
        ([0.1], [True, False], "scores and flags"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, flags, message):
    with pytest.raises(ShieldCLIPError, match=message):
        detect(scores, flags)
