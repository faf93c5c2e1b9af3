"""Everything an attacker could do to some pictures: candidates for poisons."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shieldclip.adversary.choice.forms import FORMS, Writing
from shieldclip.attacks.poisons.pairs import Pairs


@dataclass(frozen=True)
class Candidate:
    """One picture with new captions."""

    row: int
    form: str
    captions: tuple[str, ...]
    """As many as the row had."""


def eligible_rows(pairs: Pairs, target: str, among: int, seed: int) -> list[int]:
    """A random sample, rising, of the rows with captions that do not show the target."""
    rows = [row for row in pairs.free if pairs.captions[row] and not pairs.shows(row, target)]
    draw = random.Random(f"choice {seed}")
    return sorted(draw.sample(rows, min(among, len(rows))))


def write_candidates(
    pairs: Pairs, rows: Sequence[int], forms: Sequence[str], writing: Writing
) -> list[Candidate]:
    """Every row in every form that applies to all of its captions, row by row."""
    found = []
    for row in rows:
        for form in forms:
            written = [FORMS[form](caption, writing) for caption in pairs.captions[row]]
            captions = tuple(text for text in written if text is not None)
            if len(captions) == len(written):
                found.append(Candidate(row, form, captions))
    return found
