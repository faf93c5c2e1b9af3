"""CLIP's vision transformer, with attention returned by its last layer only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPVisionModel
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clip.modeling_clip import CLIPAttention, CLIPEncoderLayer

from shieldclip.modeling.attention import attention_to_patches, explicit_attention
from shieldclip.modeling.initialization import LibraryInitialization
from shieldclip.modeling.output import TowerOutput


class ViTTower(LibraryInitialization, CLIPVisionModel):
    """transformers' `CLIPVisionModel`: same weights, same names, same result.

    Attention weights exist only where attention runs eager, which costs time and memory
    O((P+1)²) a layer. Here all layers but the last keep the configured kernel (SDPA).
    """

    def forward(
        self,
        pixel_values: Tensor,
        interpolate_pos_encoding: bool = False,
        output_patches: bool = False,
        patch_index: Tensor | None = None,
        **kwargs: Any,
    ) -> TowerOutput | BaseModelOutputWithPooling:
        """Encode images.

        Args:
            pixel_values: ``[B, 3, S, S]``, normalised.
            interpolate_pos_encoding: accept other sizes than S.
            output_patches: return patch features and attention as well.
            patch_index: ``[B, K]``, the patches to encode; the others are never computed (FLIP,
                Li et al. 2023). All P unless given; needs ``output_patches``.
            kwargs: for the parent class, without ``output_patches``.
        """
        if not output_patches:
            return super().forward(pixel_values, interpolate_pos_encoding, **kwargs)
        tokens = self.embeddings(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        hidden = self.pre_layrnorm(_keep(tokens, patch_index))
        *layers, last = self.encoder.layers
        for layer in layers:
            hidden = layer(hidden, None)
        hidden, weights = _eager_layer(last, hidden)
        features = self.post_layernorm(hidden)  # [B, 1 + P, W], CLS first
        return TowerOutput(
            last_hidden_state=hidden,
            pooler_output=features[:, 0],
            patches=features[:, 1:],
            patch_attention=attention_to_patches(weights[:, :, 0]),
        )


def _keep(tokens: Tensor, patch_index: Tensor | None) -> Tensor:
    """CLS and the chosen patches: ``[B, 1 + P, W]`` -> ``[B, 1 + K, W]``."""
    if patch_index is None:
        return tokens
    chosen = tokens[:, 1:].gather(1, patch_index[..., None].expand(-1, -1, tokens.shape[-1]))
    return torch.cat([tokens[:, :1], chosen], dim=1)


def _eager_layer(layer: CLIPEncoderLayer, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """An encoder layer ``[B, T, W]`` -> its output ``[B, T, W]`` and attention ``[B, H, T, T]``."""
    if layer.gradient_checkpointing and layer.training:
        checkpointed: tuple[Tensor, Tensor] = layer._gradient_checkpointing_func(
            _eager_layer_body, layer, hidden
        )
        return checkpointed
    return _eager_layer_body(layer, hidden)


def _eager_layer_body(layer: CLIPEncoderLayer, hidden: Tensor) -> tuple[Tensor, Tensor]:
    mixed, weights = _eager_attention(layer.self_attn, layer.layer_norm1(hidden))
    hidden = hidden + mixed
    return hidden + layer.mlp(layer.layer_norm2(hidden)), weights


def _eager_attention(attention: CLIPAttention, hidden: Tensor) -> tuple[Tensor, Tensor]:
    batch, length, _ = hidden.shape
    heads = (batch, length, attention.num_heads, attention.head_dim)
    query, key, value = (
        project(hidden).view(heads).transpose(1, 2)  # [B, H, T, W / H]
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    weights = explicit_attention(query, key, attention.scale)
    kept = functional.dropout(weights.to(value.dtype), attention.dropout, attention.training)
    mixed = (kept @ value).transpose(1, 2).reshape(hidden.shape)
    return attention.out_proj(mixed), weights
