"""Explanations as files: the page and a picture for each picture explained."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from shieldclip.drafts import drafted
from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation.explain import Explanation
from shieldclip.explanation.page import by_picture, render_page
from shieldclip.explanation.sheet import draw_sheet


def write_explanations(explanations: Sequence[Explanation], folder: Path) -> tuple[Path, ...]:
    """Writes ``explanation.html`` and a PNG per picture, each whole or not at all.

    Returns:
        The paths written, the page first.

    Raises:
        ShieldCLIPError: nothing to write, or a folder that cannot be made or written.
    """
    contents = {folder / "explanation.html": render_page(explanations).encode()}
    for number, (picture, found) in enumerate(by_picture(explanations).items(), start=1):
        buffer = io.BytesIO()
        draw_sheet(found).save(buffer, "PNG", optimize=True)
        contents[folder / f"{number:02d}-{_slug(picture)}.png"] = buffer.getvalue()
    try:
        for path, content in contents.items():
            with drafted(path) as draft:
                draft.write_bytes(content)
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a folder that can be written, got {folder} ({error.strerror}); "
            "pass another one with --out."
        ) from error
    return tuple(contents)


def _slug(name: str) -> str:
    """Letters and digits of a name, for a file."""
    return re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-") or "picture"
