"""Read a pretrained plain CLIP."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import AutoConfig, CLIPConfig, CLIPModel

from shieldclip.errors import ShieldCLIPError, in_one_line


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
    except (OSError, ValueError, RuntimeError) as error:
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
