"""What the model and its image towers return."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clip.modeling_clip import CLIPOutput


@dataclass
class ShieldCLIPOutput(CLIPOutput):
    """A `CLIPOutput`; with local features (in training) also the fields below.

    Embeddings are unit-norm vectors of the joint space; scales are inverse temperatures.
    """

    patch_embeds: Tensor | None = None
    """``[B, P, D]``, image patches in row-major order, or ``[B, K, D]`` those asked for."""
    patch_attention: Tensor | None = None
    """``[B, P]``, the global feature's attention to each of these: mean over heads, sums to 1."""
    token_embeds: Tensor | None = None
    """``[B, L, D]``, caption tokens."""
    token_mask: Tensor | None = None
    """``[B, L]`` bool, true at words, false at BOS, EOS and padding."""
    element_embeds: Tensor | None = None
    """``[U, D]``, knowledge elements, where any were given."""
    logit_scale: Tensor | None = None
    """Scalar, scale of image-text cosines."""
    knowledge_scale: Tensor | None = None
    """Scalar, scale of patch-knowledge scores (1/τ_k)."""
    knowledge_bias: Tensor | None = None
    """Scalar, added to scaled patch-knowledge scores."""
    attention_scale: Tensor | None = None
    """Scalar, scale of the attention target (1/τ_a)."""


@dataclass
class TowerOutput(BaseModelOutputWithPooling):
    """What an image tower returns, all of it before the projection to the joint space."""

    patches: Tensor | None = None
    """``[B, P, W]``, patch features at the tower's width."""
    patch_attention: Tensor | None = None
    """``[B, P]``, sums to 1."""
