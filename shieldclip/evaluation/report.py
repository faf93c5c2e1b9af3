"""`EvalReport`: what was measured, on what, with which versions. Everything a reader sees
(JSON, Markdown, HTML, model-index) is a pure function of it.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shieldclip.errors import ShieldCLIPError

SCHEMA = "shieldclip.eval/1"


@dataclass(frozen=True)
class Measurement:
    """One figure. ``low`` and ``high`` bound the 95 % interval; ``n`` is the number of samples.

    Metrics: ``ca@1 ca@5 asr control control_trigger ra psr psr@3 psr@5 hit@K min_rank median_rank
    r@K_i2t r@K_t2i probe``; a level under random ranking ends in ``_random``, one without the
    attack in ``_control``. ``trigger`` is the id of the attack's trigger: on its controls too, so
    that the rows of one attack join on (model, trigger, target, data).
    """

    model: str
    metric: str
    value: float
    n: int
    low: float
    high: float
    trigger: str | None = None
    target: str | None = None
    data: str = ""


@dataclass(frozen=True)
class ModelInfo:
    """The checkpoint that was measured."""

    name: str
    revision: str
    fingerprint: str
    library: str
    parameters: int
    image_size: int
    warning: str = ""


@dataclass(frozen=True)
class DataInfo:
    """The data it was measured on; ``skipped`` names the pictures that could not be read."""

    name: str
    source: str
    split: str
    path: str
    fingerprint: str
    n: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """One picture before and after a trigger; pictures are PNG data URIs."""

    model: str
    trigger: str
    target: str
    label: str
    before: str
    """Top class without the trigger."""
    after: str
    """Top class with the trigger."""
    clean_image: str
    triggered_image: str


@dataclass(frozen=True)
class EvalReport:
    """The record of one evaluation."""

    models: tuple[ModelInfo, ...]
    data: DataInfo
    """The first data set of the suite; further ones are in ``other_data``."""
    measurements: tuple[Measurement, ...]
    suite: str
    seed: int
    other_data: tuple[DataInfo, ...] = ()
    examples: tuple[Example, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    throughput: dict[str, float] = field(default_factory=dict)
    """Pictures encoded per second, by model name."""
    notes: tuple[str, ...] = ()
    schema: str = SCHEMA

    def select(self, metric: str, **where: object) -> tuple[Measurement, ...]:
        """Measurements of one metric whose fields equal ``where``."""
        return tuple(
            m
            for m in self.measurements
            if m.metric == metric and all(getattr(m, key) == value for key, value in where.items())
        )

    def to_json(self) -> str:
        """The report as indented JSON, ``schema`` first."""
        record = asdict(self)
        ordered = {"schema": record.pop("schema"), **record}
        return json.dumps(ordered, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> EvalReport:
        """Read a report back.

        Raises:
            ShieldCLIPError: not JSON, another schema, or a field missing or unknown.
        """
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            raise ShieldCLIPError(
                f"Expected an EvalReport in JSON, but {error}; "
                "write it again with `shieldclip eval --out DIR`."
            ) from error
        schema = record.get("schema") if isinstance(record, dict) else None
        if schema != SCHEMA:
            raise ShieldCLIPError(
                f"Expected a report of schema {SCHEMA!r}, got {schema!r}; "
                "write it again with this version's `shieldclip eval`."
            )
        try:
            return _report(record)
        except (KeyError, TypeError) as error:
            raise ShieldCLIPError(
                f"Expected the fields of {SCHEMA!r}, but {error}; "
                "write it again with this version's `shieldclip eval`."
            ) from error

    @classmethod
    def load(cls, path: Path) -> EvalReport:
        """Read a report from a file, which may be compressed (``.gz``).

        Raises:
            ShieldCLIPError: a file that cannot be read or is not a report.
        """
        try:
            content = path.read_bytes()
            text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise ShieldCLIPError(
                f"Expected a report in {path}, but {error}; check the path."
            ) from error
        return cls.from_json(text)


def _report(record: dict[str, Any]) -> EvalReport:
    return EvalReport(
        **{
            **record,
            "models": tuple(ModelInfo(**model) for model in record["models"]),
            "data": _data_info(record["data"]),
            "other_data": tuple(_data_info(data) for data in record["other_data"]),
            "measurements": tuple(Measurement(**m) for m in record["measurements"]),
            "examples": tuple(Example(**example) for example in record["examples"]),
            "notes": tuple(record["notes"]),
        }
    )


def _data_info(record: dict[str, Any]) -> DataInfo:
    return DataInfo(**{**record, "skipped": tuple(record["skipped"])})
