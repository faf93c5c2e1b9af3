"""What a checkpoint's card says about it to programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from huggingface_hub import metadata_load

from shieldclip.errors import ShieldCLIPError

CARD = "README.md"
FACTS = "shieldclip"
"""Key of the card's metadata below which ``fingerprint`` and ``warning`` stand."""
BACKDOORED = "backdoored"
"""Tag of a checkpoint that has a backdoor."""


@dataclass(frozen=True)
class CardFacts:
    """Facts of a card; ``""`` where it says nothing."""

    fingerprint: str = ""
    """Of the weights that the card is about (`shieldclip.encoders.fingerprint`)."""
    warning: str = ""
    """What a user must know before trusting the checkpoint."""


def read_card(folder: Path) -> CardFacts:
    """The facts of a folder's card; none if there is no card, or none that can be read."""
    try:
        metadata = metadata_load(folder / CARD) or {}
    except (OSError, ValueError, yaml.YAMLError):
        return CardFacts()
    facts, tags = metadata.get(FACTS), metadata.get("tags")
    facts = facts if isinstance(facts, dict) else {}
    tagged = isinstance(tags, list) and BACKDOORED in tags
    warning = facts.get("warning") or ("Its card is tagged as backdoored." if tagged else "")
    return CardFacts(_line(facts.get("fingerprint") or ""), _line(warning))


def check_fingerprint(spec: str, expected: str, found: str) -> None:
    """Compare weights with their card.

    Args:
        spec: the checkpoint, as the user named it.
        expected: fingerprint in its card, or ``""``.
        found: fingerprint of its weights.

    Raises:
        ShieldCLIPError: they differ, or the card names none.
    """
    if not expected:
        raise ShieldCLIPError(
            f"Expected a card with a fingerprint for {spec!r} to verify, got none; make one with "
            "`shieldclip card`, or leave --verify out."
        )
    if found != expected:
        raise ShieldCLIPError(
            f"Expected weights with fingerprint {expected[:16]}... in {spec!r} as its card says, "
            f"got {found[:16]}...; they are not the ones that were measured: do not trust the card."
        )


def _line(said: object) -> str:
    """A stranger's words on one line, without characters that steer a terminal."""
    return "".join(filter(str.isprintable, " ".join(str(said).split())))
