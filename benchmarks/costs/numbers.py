"""How figures of benchmarks are printed."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log10

from shieldclip.evaluation.figures import number
from shieldclip.evaluation.table import MISSING


def significant(value: float, digits: int = 3) -> str:
    """``1,234``, ``301``, ``1.42``, ``0.0207``: with so many digits, all of a large whole part."""
    before = floor(log10(abs(value))) + 1 if value else 1
    return f"{value:,.{max(digits - before, 0)}f}"


def decisive(value: float, says: Callable[[float], bool]) -> str:
    """With as many digits as it takes to say the same of what is printed as of the value."""
    digits = 3
    while says(float(significant(value, digits).replace(",", ""))) != says(value):
        digits += 1
    return significant(value, digits)


def ratio(value: float | None) -> str:
    """With two decimals."""
    return MISSING if value is None else number(value, decimals=2)
