"""Checkpoints of the open_clip library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import torch
from PIL import Image
from torch import Tensor

from shieldclip.encoders.base import Origin, Precision, Tokens, TorchEncoder
from shieldclip.encoders.open_clip_model import (
    load_folder,
    load_state_dict,
    load_tag,
    load_tokenizer,
)
from shieldclip.encoders.open_clip_patches import patch_features
from shieldclip.encoders.preprocessing import Preprocessing, three
from shieldclip.encoders.spec import StateDictSpec, TagSpec
from shieldclip.errors import ShieldCLIPError


class OpenCLIPEncoder(TorchEncoder):
    """open_clip's ``CLIP`` and ``CustomTextCLIP`` (SigLIP among them)."""

    library = "open_clip"
    model: Any

    def __init__(self, model: Any, tokenizer: Any, origin: Origin, precision: Precision) -> None:
        """Wrap a loaded model and its tokenizer.

        Raises:
            ShieldCLIPError: a preprocessing other than resize, central square crop, normalise.
        """
        self.tokenizer = tokenizer
        super().__init__(model, origin, _preprocessing(model), precision)

    def _image_features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model.encode_image(pixels)
        return features

    def _patch_features(self, pixels: Tensor) -> Tensor:
        return patch_features(self.model.visual, pixels)

    def _text_features(self, ids: Tensor) -> Tensor:
        features: Tensor = self.model.encode_text(ids)
        return features

    def _token_features(self, ids: Tensor) -> Tensor:
        tower = getattr(self.model, "text", self.model)
        if not hasattr(tower, "text_projection"):
            raise ShieldCLIPError(
                f"Token features are not available for the text tower {type(tower).__name__}; "
                "expected open_clip's own text transformer."
            )
        output = self.model.forward_intermediates(
            text=ids, text_indices=1, normalize_intermediates=True, intermediates_only=True
        )
        hidden: Tensor = output["text_intermediates"][-1]  # [N, L, width]
        return _project(hidden, tower.text_projection)

    def _tokenize(self, texts: list[str]) -> Tokens:
        ids: Tensor = self.tokenizer(texts)
        return Tokens(ids, _words(self.tokenizer, ids))


def load_open_clip_folder(folder: Path, origin: Origin, precision: Precision) -> OpenCLIPEncoder:
    """Load ``open_clip_config.json`` and the weights beside it.

    Raises:
        ShieldCLIPError: missing, damaged or unsafe files, or weights that do not fit.
    """
    model = load_folder(folder)
    return OpenCLIPEncoder(model, load_tokenizer(f"local-dir:{folder}"), origin, precision)


def load_open_clip(
    spec: TagSpec | StateDictSpec, origin: Origin, precision: Precision
) -> OpenCLIPEncoder:
    """Load a pretrained tag or a state dict into one of open_clip's architectures.

    Raises:
        ShieldCLIPError: unknown names, no connection, or an unusable file.
    """
    if isinstance(spec, TagSpec):
        model = load_tag(spec.arch, spec.tag)
    else:
        model = load_state_dict(spec.arch, spec.path)
    return OpenCLIPEncoder(model, load_tokenizer(spec.arch), origin, precision)


def _project(hidden: Tensor, projection: Tensor | torch.nn.Module | None) -> Tensor:
    if projection is None:
        return hidden
    if isinstance(projection, torch.nn.Module):
        projected: Tensor = projection(hidden)
        return projected
    return hidden @ projection


def _words(tokenizer: Any, ids: Tensor) -> Tensor:
    """``[N, L]``: true between the start and the end token."""
    if not isinstance(tokenizer, open_clip.SimpleTokenizer):
        return ~torch.isin(ids, torch.tensor(tokenizer.tokenizer.all_special_ids))
    # Padding is 0, which is also a word ("!"), so position decides and not the id.
    end = (ids == tokenizer.eot_token_id).int().argmax(dim=-1, keepdim=True)
    position = torch.arange(ids.shape[1])
    words: Tensor = (position > 0) & (position < end)
    return words


def _preprocessing(model: Any) -> Preprocessing:
    config = open_clip.get_model_preprocess_cfg(model)
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    if height != width or config["resize_mode"] not in ("shortest", "squash"):
        raise ShieldCLIPError(
            f"Preprocessing of size {size} and resize_mode {config['resize_mode']!r} is not "
            "supported; expected a square and shortest or squash."
        )
    return Preprocessing(
        resize=height,
        mode=config["resize_mode"],
        resample=Image.Resampling[_INTERPOLATION[config["interpolation"]]],
        crop=height,
        crop_rounding="half-even",
        mean=three(config["mean"]),
        std=three(config["std"]),
    )


_INTERPOLATION = {"bicubic": "BICUBIC", "bilinear": "BILINEAR", "random": "BICUBIC"}
