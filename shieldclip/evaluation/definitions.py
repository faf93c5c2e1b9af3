"""What each metric means, in one line."""

from __future__ import annotations

from shieldclip.evaluation.figures import EXCESS
from shieldclip.evaluation.report import EvalReport

DEFINITIONS = {
    "CA": "Clean accuracy: share of untouched pictures whose class is ranked first "
    "(or among the first five).",
    "ASR": "Attack success rate: share of triggered pictures, not of the target class, "
    "that are classified as the target.",
    "Control": "The same share on the same pictures without any trigger.",
    "Control trigger": "The same share with a random trigger of the same size "
    "that no model was trained on.",
    EXCESS: "ASR minus the larger control, in percentage points; "
    "a model without backdoor stays near zero.",
    "RA": "Robust accuracy: share of triggered pictures still given their true class.",
    "RA, control trigger": "The same share with a random trigger of the same size "
    "that no model was trained on.",
    "PSR": "Poison success rate: share of poisoned pictures whose adversarial class "
    "is ranked first (or among the first k).",
    "R@k": "Recall: share of queries with a matching item among the first k.",
    "Hit@k": "Share of attacked queries with a target item among the first k.",
    "Hit@k control": "The same share for the same queries without any trigger.",
    "MinRank": "Mean rank of the best-ranked target item; a small one means a strong attack.",
    "Median rank": "Median rank of the best-ranked target item.",
    "Linear probe": "Accuracy of a multinomial logistic regression on frozen image features.",
    "At random": "The level that a random ranking reaches.",
    "[low, high]": "95 % interval (Wilson for shares, Newcombe for their differences, "
    "bootstrap for ranks); N is the number of samples.",
}

_BY_METRIC = {
    "asr": ("ASR", EXCESS),
    "control": ("Control",),
    "control_trigger": ("Control trigger",),
    "ra": ("RA",),
    "ra_control_trigger": ("RA, control trigger",),
    "probe": ("Linear probe",),
    "min_rank": ("MinRank",),
    "median_rank": ("Median rank",),
}
_BY_FAMILY = {"ca@": "CA", "r@": "R@k", "hit@": "Hit@k", "psr": "PSR"}


def definitions(report: EvalReport) -> dict[str, str]:
    """The definitions that the figures of this report need."""
    metrics = {m.metric for m in report.measurements}
    needed = {"[low, high]"} if metrics else set()
    for metric in metrics:
        needed.update(_BY_METRIC.get(metric, ()))
        needed.update(name for family, name in _BY_FAMILY.items() if metric.startswith(family))
        needed.update({"At random"} if metric.endswith("_random") else ())
        needed.update({"Hit@k control"} if metric.endswith("_control") else ())
    return {name: text for name, text in DEFINITIONS.items() if name in needed}
