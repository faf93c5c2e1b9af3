"""How cards and README print a share."""

from __future__ import annotations

from shieldclip.evaluation.report import Measurement


def percent(share: Measurement) -> str:
    """``97.3 % [96.1, 98.2]``."""
    value, low, high = (100 * bound for bound in (share.value, share.low, share.high))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"
