"""Which triggers a suite needs, and so how often the encoder runs.

A suite on one data set costs one clean pass, one pass per trigger and one per *different* control
trigger: triggers whose `control` is equal share it. Text triggers cost texts only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor


class Recorded(Protocol):
    """A trigger on pictures or texts, as far as evaluation needs to know it."""

    @property
    def id(self) -> str:
        """Name and version, e.g. ``badnet``."""
        ...

    def record(self) -> dict[str, Any]:
        """Everything the trigger depends on, as plain values."""
        ...


class ImageTrigger(Recorded, Protocol):
    """A trigger on pictures."""

    def __call__(self, images: Tensor, indices: Tensor, /) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` and rows ``[B]`` -> pictures with the trigger."""
        ...

    def control(self) -> ImageTrigger:
        """Its random, untrained counterpart of the same size."""
        ...


class TextTrigger(Recorded, Protocol):
    """A trigger on texts."""

    def __call__(self, texts: Sequence[str], /) -> list[str]:
        """N texts -> the texts with the trigger."""
        ...

    def control(self) -> TextTrigger:
        """Its random, untrained counterpart of the same kind."""
        ...


@dataclass(frozen=True)
class Attack:
    """A trigger on pictures and the untrained one it is compared with."""

    name: str
    """The trigger as the suite names it, e.g. ``badnet`` or ``file:PATH``."""
    trigger: ImageTrigger
    control: ImageTrigger


CLEAN = ""
"""Key of the clean pass."""


def pass_key(trigger: Recorded) -> str:
    """Equal for equal triggers."""
    return json.dumps(trigger.record(), sort_keys=True)
