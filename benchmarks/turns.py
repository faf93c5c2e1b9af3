"""Processor time of what is compared, taken in turns: ratios then hold on a busy machine, too."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def take_turns(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Processor seconds of every work in every turn."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            spent[name].append(cpu_seconds(work))
    return spent


def ratio(dividends: Sequence[float], divisors: Sequence[float]) -> float:
    """Median of the ratios within turns."""
    return statistics.median(a / b for a, b in zip(dividends, divisors, strict=True))
