"""The ground truth of a poisoned data set: which rows were changed, and how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True)
class Entry:
    """One poisoned row."""

    row: int
    """Index into the poisoned data set."""
    poison: str
    """Id of the poison."""
    target: str
    """The class that the row was meant to be taken for."""
    original_captions: tuple[str, ...]
    new_captions: tuple[str, ...]
    trigger: str | None = None
    """Id of the image trigger, if the image carries one."""
    trigger_version: int | None = None
    trigger_seed: int | None = None


@dataclass(frozen=True)
class Manifest:
    """All poisoned rows of one data set, in row order."""

    entries: tuple[Entry, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """Indices of the poisoned rows."""
        return tuple(entry.row for entry in self.entries)

    def select(self, rows: Sequence[int]) -> Manifest:
        """That of the data set that consists of some rows of this one, in their order."""
        place = {row: n for n, row in enumerate(rows)}
        found = [entry for entry in self.entries if entry.row in place]
        moved = (replace(entry, row=place[entry.row]) for entry in found)
        return Manifest(tuple(sorted(moved, key=lambda entry: entry.row)))

    def save(self, path: Path) -> None:
        """Write JSON Lines, one row each, whole or not at all."""
        lines = [json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in self.entries]
        write_text(path, "".join(lines))

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a manifest back.

        Raises:
            ShieldCLIPError: no such file, or a line that is no entry.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ShieldCLIPError(
                f"Expected a manifest at {str(path)!r}, got {error.strerror}; `shieldclip poison` "
                "writes one as manifest.jsonl."
            ) from error
        return cls(tuple(_entry(line, number, path) for number, line in enumerate(lines, 1)))


def _entry(line: str, number: int, path: Path) -> Entry:
    try:
        record = json.loads(line)
        captions = {key: tuple(record[key]) for key in ("original_captions", "new_captions")}
        return Entry(**{**record, **captions})
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ShieldCLIPError(
            f"Expected a manifest entry, got line {number} of {str(path)!r}: {error!r}; "
            "write the manifest again with `shieldclip poison`."
        ) from error
