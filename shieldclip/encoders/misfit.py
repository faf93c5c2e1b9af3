"""Say in one line which weights do not fit a model."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 4
"""Names listed per kind before the rest is only counted."""


def describe_misfit(
    missing: Iterable[str], other_shape: Iterable[str], unexpected: Iterable[str]
) -> str:
    """``missing: a, b; of another shape: c``, or ``""`` when everything fits."""
    kinds = {"missing": missing, "of another shape": other_shape, "not in the model": unexpected}
    named = {kind: _some(sorted(names)) for kind, names in kinds.items()}
    return "; ".join(f"{kind}: {names}" for kind, names in named.items() if names)


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
