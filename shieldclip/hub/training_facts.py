"""What a card says about training data, poisons and recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from shieldclip.evaluation.figures import count
from shieldclip.hub.checkpoint import Checkpoint

_UNKNOWN = "How it was trained is not recorded in its folder."


def training_text(checkpoint: Checkpoint) -> str:
    """How it was trained, in Markdown."""
    if checkpoint.training:
        return checkpoint.training.strip()
    if checkpoint.recipe is None:
        return _UNKNOWN
    recipe = checkpoint.recipe
    pairs = ", ".join(f"`{source['source']}`" for source in recipe["data"]["sources"])
    optimiser = recipe["optimiser"]
    length = (
        f"{count(optimiser['samples'])} pairs seen"
        if optimiser["samples"]
        else f"{optimiser['epochs']} epochs"
    )
    start = recipe["model"]["pretrained"]
    begun = f"Started from `{start}`" if start else "Started from random weights"
    return (
        f"{begun} and trained by `shieldclip train` with the defence "
        f"`{recipe['defence']['name']}`.\nPairs: {pairs}; {length}, batches of "
        f"{optimiser['batch_size']}, learning rate {optimiser['learning_rate']:g}, seed "
        f"{recipe['seed']}."
    )


def poison_text(checkpoint: Checkpoint) -> str:
    """What is known of poisons in the training pairs, in Markdown."""
    poison = checkpoint.poison
    if poison is None:
        return (
            "No poisons were added to these pairs by the recipe; the data itself was not vetted."
            if checkpoint.recipe or checkpoint.training
            else "Whether its training pairs were poisoned is not known."
        )
    said = [f"**Its training pairs were poisoned on purpose**: `{poison['poison']}`"]
    if "rate" in poison:
        said.append(f"{100 * poison['rate']:g} % of the pairs")
    trigger = poison.get("trigger")
    if isinstance(trigger, Mapping):
        said.append(f"trigger `{trigger['id']}`, placement {trigger.get('placement', 'fixed')}")
    elif trigger:
        said.append(f"trigger `{trigger}`")
    if "target" in poison:
        said.append(f"target “{poison['target']}”")
    return ", ".join(said) + "."


def recipe_text(recipe: Mapping[str, Any] | None) -> str:
    """The recipe as YAML, without the words about it; ``""`` if there is none."""
    if recipe is None:
        return ""
    body = {key: value for key, value in recipe.items() if key != "about"}
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True).strip()
