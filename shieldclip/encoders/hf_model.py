"""Load the model of a transformers folder, and refuse anything that does not fit it exactly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError

from shieldclip.encoders.folder import read_folder_weights
from shieldclip.encoders.misfit import describe_misfit
from shieldclip.encoders.safety import read_json
from shieldclip.errors import ShieldCLIPError, in_one_line

EXTENDED = ("shieldclip",)
"""Values of ``model_type`` that add a head of their own to a CLIP; it is left aside."""


def load_model(folder: Path, config_class: Any, model_class: Any) -> Any:
    """A model in float32 on the CPU, every weight of it read from the folder.

    Args:
        folder: a transformers checkpoint.
        config_class: e.g. ``CLIPConfig``.
        model_class: e.g. ``CLIPModel``.

    Raises:
        ShieldCLIPError: damaged or unsafe files, or weights that do not fit the configuration.
            A missing weight would otherwise stay random.
    """
    record = read_json(folder / "config.json")
    config = _config(folder, record, config_class)
    model, info = model_class.from_pretrained(
        None,
        config=config,
        state_dict=read_folder_weights(folder, "transformers"),
        dtype=torch.float32,
        # Named, because a configuration may otherwise ask for a kernel from the Hub.
        attn_implementation="sdpa",
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    misfit = describe_misfit(
        info["missing_keys"],
        (str(key[0]) for key in info["mismatched_keys"]),
        _unexpected(record, model, info["unexpected_keys"]),
    )
    if misfit:
        raise ShieldCLIPError(
            f"The weights in {folder} do not fit its config.json ({misfit}); get a complete copy."
        )
    return model


def _config(folder: Path, record: dict[str, Any], config_class: Any) -> Any:
    fields = {key: value for key, value in record.items() if key != "model_type"}
    try:
        return config_class.from_dict(fields)
    except (TypeError, ValueError, KeyError, StrictDataclassError) as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"Bad configuration in {folder}: {reason}") from error


def _unexpected(record: dict[str, Any], model: Any, keys: Iterable[str]) -> list[str]:
    # Old checkpoints store this buffer; it counts positions and holds nothing learned.
    learned = [key for key in keys if not key.endswith("position_ids")]
    if record.get("model_type") not in EXTENDED:
        return learned
    own = {name for name, _ in model.named_children()}
    return [key for key in learned if key.partition(".")[0] in own]
