"""Text triggers, all in the registry ``TEXT_TRIGGERS``.

make_text_trigger("text-sudo")(["a photo of a cat."])   # ["SUDO a photo of a cat."]
"""

from __future__ import annotations

from shieldclip.attacks.build import build
from shieldclip.attacks.texts.base import TextTrigger
from shieldclip.attacks.texts.homoglyph import Homoglyph
from shieldclip.attacks.texts.word import Cf, Mn, Remember, Sudo
from shieldclip.attacks.texts.zero_width import ZeroWidth
from shieldclip.errors import unknown_name

__all__ = ["TEXT_TRIGGERS", "TextTrigger", "make_text_trigger"]

TEXT_TRIGGERS: dict[str, type[TextTrigger]] = {
    "text-sudo": Sudo,
    "text-remember": Remember,
    "text-cf": Cf,
    "text-mn": Mn,
    "text-zero-width": ZeroWidth,
    "text-homoglyph": Homoglyph,
}


def make_text_trigger(name: str, **parameters: object) -> TextTrigger:
    """A text trigger from its id.

    Raises:
        ShieldCLIPError: unknown id, unknown or unfit parameter.
    """
    if name not in TEXT_TRIGGERS:
        raise unknown_name("text trigger", name, TEXT_TRIGGERS)
    return build(TEXT_TRIGGERS[name], parameters, name)
