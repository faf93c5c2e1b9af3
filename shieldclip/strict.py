"""What is read from YAML: frozen, and without unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

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
