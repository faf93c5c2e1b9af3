"""Poisons chosen by what the defender's own knowledge and matching would say of them."""

from shieldclip.adversary.choice.choose import choose_poisons
from shieldclip.adversary.choice.settings import AGAINST, ChoiceSettings

__all__ = ["AGAINST", "ChoiceSettings", "choose_poisons"]
