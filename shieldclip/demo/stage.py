"""What the page begins with: two models, names, prompts and example pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shieldclip.data import open_source
from shieldclip.data.prompts import classes_for, templates_for
from shieldclip.explanation import Subject, load_subject
from shieldclip.explanation.pictures import pictures_of_source

ICONS = "icons-100"
ROWS = (417, 147, 636, 738, 501, 576, 318, 852)
"""A pear, a penguin, a taxi, a guitar, a hamburger, ice cream, a lady beetle, a light bulb."""


@dataclass(frozen=True)
class Stage:
    """Everything that is read before the page is served."""

    subjects: tuple[Subject, Subject]
    """The plain and the shielded model."""
    classes: tuple[str, ...]
    templates: tuple[str, ...]
    examples: tuple[Path, ...]
    """Picture files; the first is shown at once."""


def open_stage(
    specs: tuple[str, str],
    classes: str | None,
    templates: str,
    folder: Path,
    device: str = "auto",
) -> Stage:
    """Load both models and write the example pictures.

    Args:
        specs: the plain and the shielded model: ``shieldclip:NAME``, a folder, or a Hub id.
        classes: a file, ``imagenet``, or the names of the icons.
        templates: a file or a name.
        folder: for the example pictures.
        device: ``auto`` or a PyTorch device.

    Raises:
        ShieldCLIPError: something is missing, damaged or unsafe.

    Warns:
        UntrustworthyWarning: a checkpoint is known to be backdoored.
    """
    plain, shielded = specs
    icons = open_source(ICONS)
    paths = []
    for picture in pictures_of_source(icons, ROWS):
        path = folder / f"{picture.label}.png"
        picture.image.save(path)
        paths.append(path)
    return Stage(
        subjects=(load_subject(plain, device), load_subject(shielded, device)),
        classes=classes_for(classes) if classes else icons.classes,
        templates=templates_for(templates),
        examples=tuple(paths),
    )
