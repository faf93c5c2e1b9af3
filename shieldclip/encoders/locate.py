"""Find a checkpoint's folder and what is said about it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from shieldclip.encoders.card import CardFacts, read_card
from shieldclip.encoders.folder import library_of
from shieldclip.encoders.spec import FolderSpec, HubSpec, ZooSpec
from shieldclip.encoders.zoo import find_zoo_model
from shieldclip.errors import UntrustworthyWarning


@dataclass(frozen=True)
class Located:
    """A checkpoint on this disk."""

    folder: Path
    library: str
    facts: CardFacts
    revision: str = ""
    """Commit of a Hub repository, or ``""``."""


def locate(spec: ZooSpec | FolderSpec | HubSpec, name: str) -> Located:
    """Find a checkpoint, downloading it if need be, and pass its warning on.

    Args:
        spec: where it is.
        name: what the user called it.

    Raises:
        ShieldCLIPError: it cannot be found or fetched, or is no checkpoint.
    """
    found = _locate(spec)
    if found.facts.warning:
        warnings.warn(f"{name}: {found.facts.warning}", UntrustworthyWarning, stacklevel=3)
    return found


def _locate(spec: ZooSpec | FolderSpec | HubSpec) -> Located:
    match spec:
        case ZooSpec(name):
            model = find_zoo_model(name)
            facts = CardFacts(model.fingerprint, model.warning)
            return Located(model.path, "transformers", facts)
        case FolderSpec(path, library):
            return Located(path, library_of(path, library), read_card(path))
        case HubSpec():
            from shieldclip.encoders.hub import fetch

            snapshot = fetch(spec)
            facts = read_card(snapshot.folder)
            return Located(snapshot.folder, snapshot.library, facts, snapshot.revision)
