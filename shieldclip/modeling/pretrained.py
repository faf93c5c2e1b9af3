"""Read a pretrained plain CLIP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, CLIPConfig, CLIPModel

from shieldclip.errors import ShieldCLIPError, in_one_line

UNREADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    SafetensorError,
    StrictDataclassError,
)
"""What transformers raises on a folder that it cannot make a model of."""


def load_clip(source: str | Path) -> CLIPModel:
    """Load a transformers CLIP in float32.

    Args:
        source: Hub id or folder.

    Raises:
        ShieldCLIPError: not there, not a CLIP, or incomplete (a missing weight would stay random).
    """
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        if type(config) is not CLIPConfig:
            raise ShieldCLIPError(
                f"Expected a CLIP at {str(source)!r}, got model_type {config.model_type!r}; "
                "give the Hub id or folder of a transformers CLIPModel."
            )
        model, report = CLIPModel.from_pretrained(
            source, config=config, dtype=torch.float32, output_loading_info=True
        )
    except UNREADABLE as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"Cannot load a CLIP from {str(source)!r}: {reason}") from error
    refuse_missing(report["missing_keys"], source)
    loaded: CLIPModel = model
    return loaded


def refuse_missing(names: Iterable[str], source: str | Path) -> None:
    """Raise if there are any: transformers leaves them random without a word.

    Args:
        names: of weights that the model has and its checkpoint lacks.
        source: of the checkpoint.

    Raises:
        ShieldCLIPError: there are.
    """
    missing = sorted(names)
    if missing:
        raise ShieldCLIPError(
            f"{len(missing)} weights are missing in {str(source)!r} (first: {missing[0]}); "
            "get a complete copy."
        )


def copy_weights(source: nn.Module, model: nn.Module, fields: Mapping[str, Any]) -> None:
    """Copy every weight; only those of a knowledge head may be new.

    Args:
        source: a CLIP.
        model: a ShieldCLIP of its configuration.
        fields: of the configuration, where it differs.

    Raises:
        ShieldCLIPError: the fields leave a weight without a place, or a place without a weight.
    """
    own = {name: value.shape for name, value in model.state_dict().items()}
    given = {name: value.shape for name, value in source.state_dict().items()}
    unfit = [name for name in given if own.get(name) != given[name]]
    unfit += [name for name in own if name not in given and not name.startswith("knowledge_head.")]
    if unfit:
        raise ShieldCLIPError(
            f"Expected fields that fit the weights of the CLIP, got {dict(fields)}, which "
            f"{unfit[0]} does not fit; leave out what the model has otherwise."
        )
    model.load_state_dict(source.state_dict(), strict=False)
