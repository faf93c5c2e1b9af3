"""A card as files: Markdown, and the plot that it shows."""

from __future__ import annotations

from pathlib import Path

from shieldclip.encoders.card import CARD
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.write import write_file
from shieldclip.hub.checkpoint import Checkpoint
from shieldclip.hub.model_card import render_card
from shieldclip.hub.plot import draw_attacks
from shieldclip.hub.publication import PLOT
from shieldclip.hub.published import published


def write_card(
    path: Path,
    checkpoint: Checkpoint,
    report: EvalReport,
    license_id: str | None = None,
    spec: str | None = None,
) -> tuple[Path, ...]:
    """Write a checkpoint's card.

    Args:
        path: of the card; its plot lies beside it, as ``asr.png`` or, where cards share a folder,
            as ``NAME-asr.png``.
        checkpoint: what it is about.
        report: one that measured it, maybe among others.
        license_id: a licence of the Hub's list, e.g. ``apache-2.0``.
        spec: how others will name the checkpoint; as in the report unless given.

    Returns:
        The paths written.

    Raises:
        ShieldCLIPError: the report is about other weights, or a file cannot be written.
    """
    told = published(report, checkpoint.fingerprint, spec)
    plot = draw_attacks(told)
    picture = path.with_name(PLOT if path.name == CARD else f"{path.stem}-{PLOT}")
    card = render_card(checkpoint, told, license_id=license_id, plot=picture.name if plot else "")
    contents = {path: card.encode()} | ({picture: plot} if plot else {})
    for file, content in contents.items():
        write_file(file, content)
    return tuple(contents)
