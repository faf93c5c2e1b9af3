"""Patches of open_clip's image towers in the joint space."""

from __future__ import annotations

from typing import Any

import open_clip
from open_clip.timm_model import TimmModel
from torch import Tensor

from shieldclip.errors import ShieldCLIPError


def patch_features(visual: Any, pixels: Tensor) -> Tensor:
    """What each patch alone contributes to the image feature.

    A ViT's patches go through its last norm and its projection like the class token; where a tower
    pools by attention, through the value path of the pooling (Zhou et al. 2022, MaskCLIP,
    section 3.2).

    Args:
        visual: the image tower of an open_clip model.
        pixels: ``[B, 3, S, S]``, normalised.

    Returns:
        ``[B, P, D]``.

    Raises:
        ShieldCLIPError: a tower for which this is not defined.
    """
    if isinstance(visual, open_clip.transformer.VisionTransformer) and visual.attn_pool is None:
        return _vit(visual, pixels)
    if isinstance(visual, open_clip.modified_resnet.ModifiedResNet):
        return _resnet(visual, pixels)
    if isinstance(visual, TimmModel) and getattr(visual.trunk, "num_prefix_tokens", None) == 0:
        return _timm_vit(visual, pixels)
    raise ShieldCLIPError(
        f"Patch features are not available for the image tower {type(visual).__name__}; "
        "expected a ViT or one of CLIP's ResNets."
    )


def _vit(visual: Any, pixels: Tensor) -> Tensor:
    patches = _last_map(visual, pixels, normalize_intermediates=True, output_fmt="NLC")
    features: Tensor = patches @ visual.proj
    return features


def _resnet(visual: Any, pixels: Tensor) -> Tensor:
    pool = visual.attnpool
    patches = _last_map(visual, pixels).flatten(2).transpose(1, 2)  # [B, P, width]
    patches = patches + pool.positional_embedding[1:]
    features: Tensor = pool.c_proj(pool.v_proj(patches))
    return features


def _timm_vit(visual: Any, pixels: Tensor) -> Tensor:
    patches = _last_map(visual, pixels, normalize_intermediates=True, output_fmt="NLC")
    alone = patches.flatten(0, 1)[:, None]  # [B * P, 1, width]
    features: Tensor = visual.head(visual.trunk.forward_head(alone))
    return features.reshape(*patches.shape[:2], -1)


def _last_map(visual: Any, pixels: Tensor, **options: Any) -> Tensor:
    output = visual.forward_intermediates(pixels, indices=1, intermediates_only=True, **options)
    features: Tensor = output["image_intermediates"][-1]
    return features
