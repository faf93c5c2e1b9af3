"""Write a checkpoint in another format, and prove that it is still the same model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shieldclip.drafts import drafted
from shieldclip.encoders.card import CARD
from shieldclip.errors import ShieldCLIPError
from shieldclip.export.card import render_card
from shieldclip.export.compare import largest_difference
from shieldclip.export.formats import find_format
from shieldclip.export.source import load_source


@dataclass(frozen=True)
class Exported:
    """What was written, and how well it agrees."""

    folder: Path
    difference: float
    """Largest difference of features of random pictures and prompts, in float32."""
    tolerance: float


def export(spec: str, format_name: str, folder: Path) -> Exported:
    """Write a checkpoint in a format that another library loads.

    The result is read back and compared before it appears under its name.

    Args:
        spec: a folder of `ShieldCLIPModel` or transformers' ``CLIPModel``, ``shieldclip:NAME``, or
            a Hub id.
        format_name: a key of `FORMATS`.
        folder: to write; absent or empty.

    Raises:
        ShieldCLIPError: unknown format, a checkpoint that cannot be exported to it, a folder in
            use, or a result that differs from the source.

    Warns:
        UntrustworthyWarning: the checkpoint is known to be backdoored.
    """
    chosen = find_format(format_name)
    _check_free(folder)
    source = load_source(spec)
    with _draft(folder) as draft:
        chosen.write(source, draft)
        exported = chosen.read(draft)
        difference = largest_difference(source.encoder, exported)
        # Written so that NaN is refused too.
        if not difference <= chosen.tolerance:
            raise ShieldCLIPError(
                f"Expected features that differ by at most {chosen.tolerance:.0e} after the export "
                f"to {format_name}, got {difference:.1e}; nothing was written: please report this."
            )
        card = render_card(source, chosen.library, exported.fingerprint, difference)
        (draft / CARD).write_text(card, encoding="utf-8")
    return Exported(folder, difference, chosen.tolerance)


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ShieldCLIPError(
            f"Expected a new or empty folder, got {str(folder)!r} with something in it; "
            "choose another."
        )


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """`drafted`, unless the folder comes into use meanwhile."""
    try:
        with drafted(folder) as draft:
            draft.mkdir()
            yield draft
            _check_free(folder)
    except OSError as error:
        raise ShieldCLIPError(f"Cannot write {str(folder)!r}: {error}; choose another.") from error
