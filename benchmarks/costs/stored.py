"""What benchmarks printed, on disk: ``benchmarks/measured/<name>.json``, a record each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError

MEASURED = Path(__file__).parents[1] / "measured"


@dataclass(frozen=True)
class Machine:
    """Where a benchmark ran."""

    processor: str
    cores: int
    """That it used."""
    torch: str
    """Version."""

    def __str__(self) -> str:
        cores = "one core" if self.cores == 1 else f"{self.cores} cores"
        return f"{cores} ({self.processor}, torch {self.torch})"


@dataclass(frozen=True)
class Record:
    """One run of a benchmark."""

    command: str
    machine: Machine
    figures: Mapping[str, Any]
    """What it printed, as JSON."""

    @property
    def origin(self) -> str:
        """Where the figures come from, as Markdown."""
        return f"`{self.command}` on {self.machine}"


Records = Mapping[str, Record]
"""By name."""


def save(record: Record, name: str, folder: Path = MEASURED) -> None:
    """Write a record, whole or not at all."""
    write_text(folder / f"{name}.json", json.dumps(asdict(record), indent=1) + "\n")


def load_records(names: Iterable[str], folder: Path = MEASURED) -> dict[str, Record]:
    """All of these.

    Raises:
        ShieldCLIPError: one was not made yet.
    """
    return {name: _load(name, folder) for name in names}


def _load(name: str, folder: Path) -> Record:
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ShieldCLIPError(
            f"Expected the record {path}; make it with `python benchmarks/record.py {name}`."
        )
    told = json.loads(path.read_text(encoding="utf-8"))
    return Record(told["command"], Machine(**told["machine"]), told["figures"])
