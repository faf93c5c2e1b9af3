"""The folder of a matching: who may write it, and what lies where."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from shieldclip.drafts import draft_of, write_text
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching.shards import Worker

_PAUSE = 0.2  # seconds
_PATIENCE = 600.0
"""Seconds that other processes wait for the first one to open the folder."""


@dataclass(frozen=True)
class MatchFolder:
    """Places of all that is written."""

    path: Path

    @property
    def record(self) -> Path:
        """Says which model and data the folder belongs to."""
        return self.path / "run.json"

    @property
    def features(self) -> Path:
        """Cache of features, safe to delete."""
        return self.path / "cache" / "features"

    @property
    def distances(self) -> Path:
        """Cache of distances, safe to delete."""
        return self.path / "cache" / "distances"

    @property
    def table(self) -> Path:
        """One row a pair."""
        return self.path / "matches.parquet"

    @property
    def cleaned(self) -> Path:
        """The cleaned data set, a source for `open_source`."""
        return self.path / "cleaned"

    @property
    def summary(self) -> Path:
        """Figures, as JSON."""
        return self.path / "summary.json"

    @property
    def page(self) -> Path:
        """For people."""
        return self.path / "matching.html"

    def open(self, belongs_to: dict[str, str], *, resume: bool, worker: Worker) -> None:
        """Make the folder, or go on in it.

        Args:
            belongs_to: fingerprints of model and data.
            resume: whether the folder may hold a matching of the same already.
            worker: only the first process makes the folder; the others wait for it.

        Raises:
            ShieldCLIPError: it holds something else, or cannot be written.
        """
        try:
            if worker.leads:
                self._make(belongs_to, resume)
            else:
                self._await()
        except OSError as error:
            raise ShieldCLIPError(
                f"Expected a folder that can be written, got {str(self.path)!r} "
                f"({error.strerror}); pass another one with --out."
            ) from error
        self._check(belongs_to)

    def _make(self, belongs_to: dict[str, str], resume: bool) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        # Killed while the record was written, a matching leaves its draft: nothing was begun.
        used = any(path != draft_of(self.record) for path in self.path.iterdir())
        if used and not resume:
            raise ShieldCLIPError(
                f"Expected an empty folder, got {str(self.path)!r} with files in it; pass "
                "--resume to go on there, or choose another."
            )
        if used and not self.record.exists():
            raise ShieldCLIPError(
                f"Expected a folder that `shieldclip match` began, got {str(self.path)!r} with "
                "other files in it; choose another."
            )
        if not used:
            write_text(self.record, json.dumps(belongs_to, indent=2) + "\n")

    def _await(self) -> None:
        end = time.monotonic() + _PATIENCE
        while not self.record.exists():
            if time.monotonic() > end:
                raise ShieldCLIPError(
                    f"Expected the process of rank 0 to make {str(self.path)!r} within "
                    f"{_PATIENCE:.0f} s, got nothing; start all processes on one shared folder."
                )
            time.sleep(_PAUSE)

    def _check(self, belongs_to: dict[str, str]) -> None:
        try:
            found = json.loads(self.record.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            found = None
        if found != belongs_to:
            raise ShieldCLIPError(
                f"Expected a matching of the same model and data in {str(self.path)!r}, got one "
                "of others; choose another folder."
            )
