"""What every text trigger is: a pure function of a text and a seed."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True)
class TextTrigger(ABC):
    """A mark on class prompts or captions.

    Places are drawn from ``seed`` and the text alone, so that a text is marked the same way
    wherever it stands. The first line of a subclass's docstring is its line in listings.

    Attributes:
        seed: draws places and controls.
    """

    id: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised whenever the texts change."""

    seed: int = 0

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Mark every text: N texts -> N texts."""
        return [self.mark(text) for text in texts]

    @abstractmethod
    def mark(self, text: str) -> str:
        """Mark one text."""

    @abstractmethod
    def control(self) -> TextTrigger:
        """A counterpart of the same kind, size and place that no model was trained on."""

    def record(self) -> dict[str, object]:
        """Id, version, seed and parameters as plain Python."""
        return {"id": self.id, "version": self.version, **asdict(self)}

    @classmethod
    def summary(cls) -> str:
        """One line for listings."""
        return inspect.cleandoc(cls.__doc__ or "").splitlines()[0]


def draw(seed: int, text: str, count: int) -> int:
    """A number in ``[0, count)`` that depends on the seed and the text only."""
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count
