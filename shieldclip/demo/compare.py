"""A picture -> what each of several models sees in it, without and with a trigger."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from shieldclip.attacks.triggers import TRIGGERS, make_trigger
from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation import Explanation, Question, Subject, explain
from shieldclip.explanation.choices import Choices
from shieldclip.explanation.pictures import Picture

SAMPLE = 0
"""Every picture counts as this one, so that a trigger's random part stays as it is."""


def compare(
    subjects: Sequence[Subject], image: Image.Image, trigger: str, choices: Choices
) -> tuple[Explanation, ...]:
    """Look at one picture through several models.

    Args:
        subjects: the models; each resizes and crops for itself.
        image: of any size and mode.
        trigger: id of a trigger.
        choices: what the picture may be called.

    Returns:
        one explanation per model, in their order.

    Raises:
        ShieldCLIPError: an unknown trigger.
    """
    question = Question(choices, trigger, make_trigger(trigger))
    picture = Picture("picture", image.convert("RGB"), SAMPLE)
    return tuple(explain(subject, [picture], question)[0] for subject in subjects)


def stampable() -> list[str]:
    """The triggers that need no file of their own."""
    return [name for name, kind in TRIGGERS.items() if not kind.needs_path()]


def names_of(text: str) -> tuple[str, ...]:
    """Class names, one on each line; empty lines and repetitions do not count.

    Raises:
        ShieldCLIPError: fewer than two names.
    """
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))
    if len(names) < 2:
        raise ShieldCLIPError(
            f"Expected at least two names to choose from, got {len(names)}; write one on each line."
        )
    return names
