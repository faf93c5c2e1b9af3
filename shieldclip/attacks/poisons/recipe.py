"""A poison as YAML.

For example::

poison: dirty-label        # an id of POISONS
target: banana
rate: 0.01                 # or count: 500
trigger: {id: badnet, placement: random}     # or just: badnet
captions: templates        # or real
image_size: 224
seed: 0

or several at once, each on rows of its own::

poison: several
image_size: 224
poisons:
- {poison: dirty-label, target: banana, rate: 0.01, trigger: badnet}
- {poison: dirty-label, target: guitar, rate: 0.003, trigger: sig}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from shieldclip.attacks.build import build
from shieldclip.attacks.poisons.adaptive import Adaptive
from shieldclip.attacks.poisons.base import Poison
from shieldclip.attacks.poisons.chosen import (
    AdaptiveToBoth,
    AdaptiveToKnowledge,
    AdaptiveToMatching,
)
from shieldclip.attacks.poisons.dirty_label import DirtyLabel
from shieldclip.attacks.poisons.label_consistent import LabelConsistent
from shieldclip.attacks.poisons.label_swap import LabelSwap
from shieldclip.attacks.poisons.several import Several
from shieldclip.attacks.poisons.targeted import Targeted
from shieldclip.attacks.triggers import Trigger, make_trigger
from shieldclip.errors import ShieldCLIPError, in_one_line, unknown_name

POISONS: dict[str, type[Poison]] = {
    "dirty-label": DirtyLabel,
    "label-consistent": LabelConsistent,
    "targeted": Targeted,
    "label-swap": LabelSwap,
    "adaptive": Adaptive,
    "adaptive-knowledge": AdaptiveToKnowledge,
    "adaptive-matching": AdaptiveToMatching,
    "adaptive-both": AdaptiveToBoth,
    "several": Several,
}


def read_recipe(path: Path) -> dict[str, object]:
    """The recipe as it stands in the file.

    Raises:
        ShieldCLIPError: no such file, or not a YAML mapping.
    """
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a recipe at {str(path)!r}, got {error.strerror}; check the path."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(f"Expected YAML in {str(path)!r}, got: {reason}.") from error
    if not isinstance(recipe, dict):
        raise ShieldCLIPError(
            f"Expected keys and values in {str(path)!r}, got {type(recipe).__name__}; "
            "begin with `poison: dirty-label`."
        )
    return {str(key): value for key, value in recipe.items()}


def make_poison(recipe: Mapping[str, object]) -> Poison:
    """The poison that a recipe describes.

    Raises:
        ShieldCLIPError: an unknown poison, trigger or key, or a value that does not fit.
    """
    values = dict(recipe)
    name = values.pop("poison", None)
    if not isinstance(name, str) or name not in POISONS:
        raise unknown_name("poison", str(name), POISONS)
    if "trigger" in values:
        values["trigger"] = _trigger(values["trigger"])
    if "poisons" in values:
        values["poisons"] = _parts(values["poisons"])
    return build(POISONS[name], values, name)


def _parts(recipes: object) -> tuple[Poison, ...]:
    """The poisons of `several`."""
    if not isinstance(recipes, list) or not all(isinstance(each, dict) for each in recipes):
        raise ShieldCLIPError(
            f"Expected a list of recipes as poisons, got {recipes!r:.80}; write one with "
            "its own `poison:` after each dash."
        )
    if any("image_size" in each for each in recipes):
        raise ShieldCLIPError(
            "Expected one image_size for all poisons, got one inside of one; move it to the top."
        )
    return tuple(make_poison(each) for each in recipes)


def _trigger(spec: object) -> Trigger:
    """``badnet`` or ``{id: badnet, placement: random}``."""
    parameters = {"id": spec} if isinstance(spec, str) else spec
    if not isinstance(parameters, dict) or not isinstance(parameters.get("id"), str):
        raise ShieldCLIPError(
            f"Expected a trigger id, or a mapping with an id, got {spec!r}; "
            "write e.g. trigger: {id: badnet, placement: random}."
        )
    rest = {str(key): value for key, value in parameters.items() if key != "id"}
    return make_trigger(parameters["id"], **rest)
