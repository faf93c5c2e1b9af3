"""A report as files: JSON for machines, Markdown and HTML for readers."""

from __future__ import annotations

import os
from pathlib import Path

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.markdown import to_markdown
from shieldclip.evaluation.pages import to_html
from shieldclip.evaluation.report import EvalReport


def write_reports(report: EvalReport, folder: Path) -> tuple[Path, ...]:
    """Writes ``report.json``, ``report.md`` and ``report.html``, each whole or not at all.

    Returns:
        The paths written, in that order.

    Raises:
        ShieldCLIPError: the folder cannot be made or written.
    """
    contents = {
        folder / "report.json": report.to_json() + "\n",
        folder / "report.md": to_markdown(report),
        folder / "report.html": to_html(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in contents.items():
            _replace(path, text)
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a folder that can be written for the report, got {folder} "
            f"({error.strerror}); pass another one with --out."
        ) from error
    return tuple(contents)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
