"""How a figure is printed. The only rounding between a measurement and its reader:
shares in percent and ranks, each to one decimal; counts in full.
"""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"
EXCESS = f"ASR {MINUS} control"

RANKS = ("min_rank", "median_rank")

_NAMES = {
    "ca@1": "CA@1",
    "ca@5": "CA@5",
    "asr": "ASR",
    "control": "Control",
    "control_trigger": "Control trigger",
    "ra": "RA",
    "ra_control_trigger": "RA, control trigger",
    "psr": "PSR",
    "probe": "Linear probe",
    "min_rank": "MinRank",
    "median_rank": "Median rank",
}


def is_rank(metric: str) -> bool:
    """Whether a metric is a rank; every other one is a share in ``[0, 1]``."""
    return metric.startswith(RANKS)


def metric_name(metric: str) -> str:
    """``hit@10_random`` -> ``Hit@10 at random``; a metric without a name of ours as it is."""
    if metric.endswith("_random"):
        return f"{metric_name(metric.removesuffix('_random'))} at random"
    if metric.endswith("_control"):
        return f"{metric_name(metric.removesuffix('_control'))} control"
    if metric.startswith("hit@"):
        return f"H{metric[1:]}"
    if metric.startswith(("r@", "psr@")):
        return metric.upper()
    return _NAMES.get(metric, metric)


def column_name(metric: str) -> str:
    """The metric's name with its unit."""
    return metric_name(metric) if is_rank(metric) else f"{metric_name(metric)}, %"


def number(value: float, decimals: int = 1) -> str:
    """With so many decimals, a true minus sign, no negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", MINUS)


def percent(share: float) -> str:
    """A share (or a difference of shares) in percent, without the sign ``%``."""
    return number(100 * share)


def printed(metric: str, value: float) -> str:
    """A value of ``metric`` in the unit of `column_name`."""
    return number(value) if is_rank(metric) else percent(value)


def interval(metric: str, low: float, high: float) -> str:
    """``[96.1, 98.2]``; nothing for an exact value, whose bounds are equal."""
    return f"[{printed(metric, low)}, {printed(metric, high)}]" if low < high else ""


def count(n: int) -> str:
    """``12,345``."""
    return f"{n:,}"
