"""Poisons that somebody chose beforehand with a model at hand: the file in between.

Attacks know no model: `shieldclip choose-poisons` writes the file, and a poison reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError
from shieldclip.strict import complaint


@dataclass(frozen=True, kw_only=True)
class ChosenRow:
    """One row worth poisoning."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    row: Annotated[int, Field(ge=0)]
    original_captions: tuple[str, ...]
    captions: Annotated[tuple[str, ...], Field(min_length=1)]
    form: str = ""
    """How the captions were written."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """What the defender would see of the pair; for readers only."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Rows worth poisoning, the least suspicious first."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    poison: str
    """Id of the poison that reads this."""
    target: str
    trigger: Mapping[str, object]
    """`Trigger.record` of the trigger that was on the images."""
    facts: Mapping[str, object]
    """Model, data and settings; for readers only."""
    rows: tuple[ChosenRow, ...]

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        write_text(path, json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Choice:
        """Read a choice back.

        Raises:
            ShieldCLIPError: no such file, or no choice.
        """
        expected = f"Expected poisons chosen by `shieldclip choose-poisons` at {str(path)!r}"
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except OSError as error:
            raise ShieldCLIPError(f"{expected}, got {error.strerror}; check the path.") from error
        except ValidationError as error:
            raise ShieldCLIPError(
                f"{expected}, but {complaint(error)}; choose them again."
            ) from error
