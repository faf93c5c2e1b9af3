"""Everything that one commit puts on the Hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shieldclip.encoders.card import CARD
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.pages import to_html
from shieldclip.evaluation.report import EvalReport
from shieldclip.hub.checkpoint import RECIPE, Checkpoint
from shieldclip.hub.model_card import render_card
from shieldclip.hub.plot import draw_attacks
from shieldclip.hub.published import published

SUFFIXES = frozenset({".json", ".model", ".safetensors", ".txt", ".yaml"})
"""Files of a model folder that are published: model, processor, records. Others stay here."""
NAMES = frozenset({"LICENSE", "NOTICE"})
PLOT, REPORT, PAGE = "asr.png", "report.json", "report.html"
REPORT_PLACES = (REPORT, f"report/{REPORT}")
"""Where a report is looked for in the folder that is pushed."""


@dataclass(frozen=True)
class Publication:
    """Contents by their path in the repository: a file here, or bytes that were made."""

    files: Mapping[str, Path | bytes]

    @property
    def card(self) -> str:
        """The model card."""
        card = self.files[CARD]
        assert isinstance(card, bytes)
        return card.decode()

    def sizes(self) -> dict[str, int]:
        """Bytes by path."""
        return {
            path: len(content) if isinstance(content, bytes) else content.stat().st_size
            for path, content in self.files.items()
        }


def load_report(folder: Path, report: Path | None) -> EvalReport:
    """The report given, or the one that lies in a folder.

    Raises:
        ShieldCLIPError: there is none.
    """
    places = [report] if report else [folder / place for place in REPORT_PLACES]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ShieldCLIPError(
            f"Expected a report at {' or '.join(map(str, places))}, got none; measure first: "
            f"`shieldclip eval --model {folder} --out {folder / 'report'}`, or pass --report FILE."
        )
    return EvalReport.load(found)


def prepare(
    checkpoint: Checkpoint, report: EvalReport, repo: str, license_id: str | None = None
) -> Publication:
    """Gather a repository.

    Args:
        checkpoint: what to publish.
        report: one that measured it, maybe among others.
        repo: ``org/name`` that it will have.
        license_id: a licence of the Hub's list, e.g. ``apache-2.0``.

    Raises:
        ShieldCLIPError: the report is about other weights.
    """
    told = published(report, checkpoint.fingerprint, repo)
    plot = draw_attacks(told)
    files: dict[str, Path | bytes] = {
        path.name: path
        for path in sorted(checkpoint.folder.iterdir())
        if path.is_file() and (path.suffix in SUFFIXES or path.name in NAMES)
    }
    if checkpoint.recipe_file:
        files[RECIPE] = checkpoint.recipe_file
    card = render_card(checkpoint, told, license_id=license_id, plot=PLOT if plot else "")
    made = {
        CARD: card.encode(),
        REPORT: (told.to_json() + "\n").encode(),
        PAGE: to_html(told).encode(),
    }
    return Publication({**files, **made} | ({PLOT: plot} if plot else {}))
