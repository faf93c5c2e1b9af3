"""What is read from YAML: frozen, and without unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from shieldclip.errors import unknown_name


class Strict(BaseModel):
    """Frozen; an unknown key is an error that names the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, record: Any) -> Any:
        if isinstance(record, dict):
            for key in record:
                if key not in cls.model_fields:
                    raise unknown_name(f"key of {cls.__name__}", str(key), cls.model_fields)
        return record


def complaint(error: ValidationError) -> str:
    """What is wrong, the first three of it, in one line: place, reason, what came."""
    parts = []
    for item in error.errors()[:3]:
        place = ".".join(map(str, item["loc"])) or "the top level"
        message = item["msg"].removeprefix("Value error, ")
        got = "" if item["type"] == "missing" else f", got {item['input']!r:.60}"
        parts.append(f"at {place}: {message}{got}")
    return "; ".join(parts)
