"""The time that training takes, whatever else the machine does."""

from __future__ import annotations

import psutil


def processor_seconds() -> float:
    """Processor time of this process since its start, with that of workers it started."""
    own = psutil.Process()
    return _taken(own) + sum(_taken(child) for child in own.children(recursive=True))


def _taken(process: psutil.Process) -> float:
    """By it, and by those of its children that ended."""
    try:
        took = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    ended = getattr(took, "children_user", 0.0) + getattr(took, "children_system", 0.0)
    return float(took.user + took.system + ended)
