"""States of parts as one state: names get the part's name in front."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def join_states(**parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One state of several parts'."""
    return {f"{part}.{name}": v for part, state in parts.items() for name, v in state.items()}


def state_of(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `join_states` was given for a part."""
    prefix = f"{part}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
