"""Which split to take when none, or one under another name, is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from shieldclip.errors import ShieldCLIPError

_TEST = ("test", "testing", "eval", "evaluation")
_VALIDATION = ("validation", "valid", "val", "dev")
ORDER = (*_TEST, *_VALIDATION, "train", "training")
"""Names of splits, the preferred first."""


def choose_split(available: Sequence[str], wanted: str | None, where: str) -> str:
    """The wanted split, else the first in `ORDER`, else the only one.

    Raises:
        ShieldCLIPError: it does not exist, or there is no telling which one is meant.
    """
    if wanted in available:
        return str(wanted)
    known = next((name for name in ORDER if name in available), None)
    if wanted is None and (known or len(available) == 1):
        return known or available[0]
    got = "none was named" if wanted is None else f"got {wanted!r}"
    raise ShieldCLIPError(
        f"Expected a split of {where} among {', '.join(available)}, {got}; choose with --split."
    )
