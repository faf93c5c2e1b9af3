"""A report as files: JSON for machines, Markdown and HTML for readers."""

from __future__ import annotations

from pathlib import Path

from shieldclip.drafts import drafted_per_process
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
    for path, text in contents.items():
        write_file(path, text)
    return tuple(contents)


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file (text as UTF-8) whole or not at all, in a folder that is made if need be.

    Raises:
        ShieldCLIPError: it cannot be written.
    """
    try:
        with drafted_per_process(path) as draft:
            draft.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a folder that can be written, got {path.parent} ({error.strerror}); "
            "choose another one, with --out or --html."
        ) from error
