"""Defences: one a file, over one training loop."""

from collections.abc import Mapping
from typing import Any

from shieldclip.attacks.build import build
from shieldclip.errors import unknown_name
from shieldclip.training.defences.base import (
    Batch,
    Defence,
    EpochPlan,
    LossTerms,
    Moment,
    PairsView,
)
from shieldclip.training.defences.cleanclip import CleanCLIP
from shieldclip.training.defences.otcclip import OTCCLIP
from shieldclip.training.defences.par import PAR
from shieldclip.training.defences.plain import Plain
from shieldclip.training.defences.roclip import RoCLIP
from shieldclip.training.defences.safeclip import SafeCLIP
from shieldclip.training.defences.semantic_shield import SemanticShield
from shieldclip.training.defences.semantic_shield_plus import SemanticShieldPlus
from shieldclip.training.defences.shield import Shield

DEFENCES: dict[str, type[Defence]] = {
    "plain": Plain,
    "semantic-shield": SemanticShield,
    "semantic-shield-plus": SemanticShieldPlus,
    "otcclip": OTCCLIP,
    "shield": Shield,
    "roclip": RoCLIP,
    "safeclip": SafeCLIP,
    "cleanclip": CleanCLIP,
    "par": PAR,
}
"""Name in a recipe -> defence."""


def make_defence(settings: Mapping[str, Any]) -> Defence:
    """The defence that a recipe names.

    Raises:
        ShieldCLIPError: unknown name or setting, or a value that does not fit.
    """
    values = dict(settings)
    name = values.pop("name", None)
    if name not in DEFENCES:
        raise unknown_name("defence", str(name), DEFENCES)
    return build(DEFENCES[name], values, name)


__all__ = [
    "DEFENCES",
    "Batch",
    "Defence",
    "EpochPlan",
    "LossTerms",
    "Moment",
    "PairsView",
    "make_defence",
]
