"""Whether the sizes of a fresh model fit each other."""

from __future__ import annotations

from transformers.activations import ACT2FN

from shieldclip.errors import ShieldCLIPError, unknown_name
from shieldclip.modeling.resnet import STRIDES, channels
from shieldclip.training.recipe.schema import ModelSpec


def check_sizes(spec: ModelSpec) -> None:
    """Refuse what no model can be built of.

    Raises:
        ShieldCLIPError: an unknown activation or tower, heads that do not divide a width, or
            patches that do not fit the picture.
    """
    if spec.activation not in ACT2FN:
        raise unknown_name("activation", spec.activation, ACT2FN)
    width = spec.text_width
    _check_heads("text_heads", spec.text_heads, width, f"model.text_width={width}")
    if spec.image_tower == "vit":
        _check_heads("heads", vit_heads(spec), spec.width, f"model.width={spec.width}")
        _check_patches(spec)
    else:
        width = channels(spec.image_tower)
        heads = spec.heads or width // 64
        _check_heads("heads", heads, width, f"the {width} channels of {spec.image_tower}")
        _check_strides(spec)


def vit_heads(spec: ModelSpec) -> int:
    """Heads of a ViT: one for every 32 channels, unless given."""
    return spec.heads or max(spec.width // 32, 1)


def _check_heads(name: str, heads: int, width: int, described: str) -> None:
    if width % heads:
        fitting = next(n for n in range(min(heads, width), 0, -1) if width % n == 0)
        raise ShieldCLIPError(
            f"Expected model.{name} to divide {described}, got {heads}; "
            f"set model.{name}={fitting}, for instance."
        )


def _check_patches(spec: ModelSpec) -> None:
    if spec.patch_size > spec.image_size:
        raise ShieldCLIPError(
            f"Expected model.patch_size of at most the {spec.image_size} pixels of "
            f"model.image_size, got {spec.patch_size}; lower it."
        )


def _check_strides(spec: ModelSpec) -> None:
    if spec.patch_size not in STRIDES:
        raise ShieldCLIPError(
            f"Expected model.patch_size among {', '.join(map(str, STRIDES))} with "
            f"{spec.image_tower}, got {spec.patch_size}; choose one of these."
        )
    if spec.image_size % spec.patch_size:
        larger = (spec.image_size // spec.patch_size + 1) * spec.patch_size
        raise ShieldCLIPError(
            f"Expected model.image_size to be a multiple of model.patch_size={spec.patch_size} "
            f"with {spec.image_tower}, got {spec.image_size}; set model.image_size={larger}."
        )
