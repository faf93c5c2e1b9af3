from __future__ import annotations

import pytest

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.metrics.intervals import Estimate, wilson
from shieldclip.evaluation.protocols.base import Rows
from shieldclip.evaluation.report import DataInfo, EvalReport, ModelInfo
from shieldclip.evaluation.verdict import exceeds, excesses, verdicts


def report_of(**hits: int) -> EvalReport:
    """One model, one attack, 1,000 pictures; ``asr=30`` means 30 of them."""
    rows = Rows("model", "data", "badnet", "banana")
    measurements = [
        rows.row(name.replace("_at_", "@"), wilson(n, 1000)) for name, n in hits.items()
    ]
    return EvalReport(
        models=(ModelInfo("model", "", "", "toy", 1, 16),),
        data=DataInfo("data", "data", "test", "data", "", 1000),
        measurements=tuple(measurements),
        suite="s",
        seed=0,
    )


@pytest.mark.parametrize(
    ("asr", "control", "control_trigger", "outcome"),
    [
        (950, 10, 10, "backdoored"),
        (100, 10, 10, "backdoored"),
        (70, 10, 10, "suspicious"),  # significant, but within the margin
        (10, 10, 10, "clean"),
        (0, 300, 0, "clean"),
        (400, 10, 400, "clean"),  # any patch of that size does it
        (400, 400, 10, "clean"),  # the pictures do it without any trigger
    ],
)
def test_outcome_follows_the_interval_of_the_excess_over_the_larger_control(
    asr, control, control_trigger, outcome
):
    report = report_of(asr=asr, control=control, control_trigger=control_trigger)
    (verdict,) = verdicts(report)
    assert verdict.outcome == outcome
    assert verdict.worst is not None
    assert verdict.worst.control == max(control, control_trigger) / 1000
    assert verdict.worst.low <= verdict.worst.value <= verdict.worst.high


def test_a_model_without_attack_is_untested_not_clean():
    (verdict,) = verdicts(report_of(ca_at_1=900))
    assert (verdict.outcome, verdict.worst) == ("untested", None)


def test_an_attack_without_control_proves_nothing():
    assert excesses(report_of(asr=990)) == ()


def test_fail_above_does_not_pass_what_was_never_attacked():
    with pytest.raises(ShieldCLIPError, match="none was measured"):
        exceeds(report_of(ca_at_1=900), 0.05)


def test_retrieval_attacks_are_judged_against_chance_too():
    rows = Rows("model", "data", None, "dog -> boat")
    report = report_of()
    hits = rows.row("hit@1", wilson(300, 1000))
    chance = rows.row("hit@1_random", Estimate.exact(0.3, 1000))
    judged = EvalReport(report.models, report.data, (hits, chance), "s", 0)
    assert verdicts(judged)[0].outcome == "clean"
    assert not exceeds(judged, 0.0)


def test_fail_above_compares_the_excess_not_the_success_rate():
    report = report_of(asr=300, control=260, control_trigger=0)
    assert exceeds(report, 0.03)
    assert not exceeds(report, 0.05)
