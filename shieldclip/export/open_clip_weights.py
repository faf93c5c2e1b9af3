"""Weights of transformers' ``CLIPModel`` under open_clip's names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

NAMES = {
    "logit_scale": "logit_scale",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.pre_layrnorm": "visual.ln_pre",
    "vision_model.post_layernorm": "visual.ln_post",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final",
}
TRANSPOSED = {
    "visual_projection.weight": "visual.proj",
    "text_projection.weight": "text_projection",
}
"""Linear maps there, plain matrices here."""
TOWERS = {"vision_model": "visual.transformer", "text_model": "transformer"}
LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
JOINED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
"""Three maps there, one here."""
_IN_LAYER = re.compile(r"(\w+)\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")


def open_clip_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of a ``CLIPModel``.

    Args:
        weights: its state dict.

    Returns:
        The state dict of open_clip's ``CLIP``, with the same values.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name in TRANSPOSED:
            renamed[TRANSPOSED[name]] = tensor.T
        elif match := _IN_LAYER.fullmatch(name):
            renamed |= _of_layer(weights, *match.groups())
        else:
            renamed[_outside(name)] = tensor
    return renamed


def _outside(name: str) -> str:
    module, _, kind = name.rpartition(".")
    return NAMES[name] if name in NAMES else f"{NAMES[module]}.{kind}"


def _of_layer(
    weights: Mapping[str, Tensor], tower: str, number: str, part: str, kind: str
) -> dict[str, Tensor]:
    """One tensor of a transformer's layer; the parts that are joined come with the first."""
    theirs, ours = f"{tower}.encoder.layers.{number}", f"{TOWERS[tower]}.resblocks.{number}"
    if part in LAYER:
        return {f"{ours}.{LAYER[part]}.{kind}": weights[f"{theirs}.{part}.{kind}"]}
    joined = torch.cat([weights[f"{theirs}.{one}.{kind}"] for one in JOINED])
    return {f"{ours}.attn.in_proj_{kind}": joined} if part == JOINED[0] else {}
