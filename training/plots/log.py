"""The log of a training run: one flat JSON object a line, and series out of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shieldclip.errors import ShieldCLIPError

LOG = "log.jsonl"


@dataclass(frozen=True)
class Series:
    """Values over steps; NaN where a line of the same family lacks the key."""

    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Log:
    """One run."""

    name: str
    lines: tuple[dict[str, float], ...]

    @property
    def keys(self) -> list[str]:
        """Every key, in order of appearance."""
        return list(dict.fromkeys(key for line in self.lines for key in line))

    def series(self, names: Sequence[str]) -> Series | None:
        """The first of these keys that occurs.

        Evaluations have lines of their own, and a batch without poisons has no figure of them: a
        gap is a line with another key of the family (``weight/clean`` without ``weight/poison``).
        """
        name = next((name for name in names if name in self.keys), None)
        if name is None:
            return None
        family = [key for key in self.keys if _family(key) == _family(name)]
        found = [line for line in self.lines if any(key in line for key in family)]
        return Series(
            steps=tuple(line["step"] for line in found),
            values=tuple(line.get(name, math.nan) for line in found),
        )


def read_log(folder: Path) -> Log:
    """The log of a run folder, named like the folder.

    Raises:
        ShieldCLIPError: no log, or a line that is no JSON object with a step. A last line without
            an end is that of a run which is being written, and left out.
    """
    path = folder / LOG
    try:
        *whole, _ = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ShieldCLIPError(f"Expected a run folder with {LOG}, got {folder}.") from error
    lines = tuple(_line(text, path, number) for number, text in enumerate(whole, 1) if text)
    return Log(folder.resolve().name, tuple(sorted(lines, key=lambda line: line["step"])))


def _line(text: str, path: Path, number: int) -> dict[str, float]:
    try:
        record = json.loads(text)
        numbers = {k: float(v) for k, v in record.items() if isinstance(v, int | float)}
        return {**_of_first_trigger(numbers), "step": float(record["step"]), **numbers}
    except (ValueError, AttributeError, KeyError) as error:
        raise ShieldCLIPError(
            f"Expected an object with a step in line {number} of {path}, got {text[:60]!r}."
        ) from error


def _of_first_trigger(numbers: Mapping[str, float]) -> dict[str, float]:
    """``eval/asr/badnet`` as ``eval/asr``; of several triggers the first."""
    found: dict[str, float] = {}
    for key, value in numbers.items():
        area, _, rest = key.partition("/")
        metric, _, trigger = rest.partition("/")
        if area == "eval" and trigger:
            found.setdefault(f"{area}/{metric}", value)
    return found


def _family(key: str) -> str:
    family, slash, _ = key.partition("/")
    return family if slash else key
