"""A small `CLIPModel`, and its contrastive loss on a random part of the patches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

from shieldclip.data.scenes.canvas import SIZE

WIDTH, DEPTH, TEXT_WIDTH, TEXT_DEPTH, JOINT = 160, 6, 128, 2, 128
PATCH = 8


def build_model(tokenizer: CLIPTokenizer, context: int) -> CLIPModel:
    """A randomly initialised CLIP of about 3 M parameters (seed torch before)."""
    shared = {"hidden_act": "gelu_pytorch_tanh", "projection_dim": JOINT}
    text = {
        **shared,
        "vocab_size": len(tokenizer),
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": 4 * TEXT_WIDTH,
        "num_hidden_layers": TEXT_DEPTH,
        "num_attention_heads": 4,
        "max_position_embeddings": context,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        **shared,
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": WIDTH // 32,
        "image_size": SIZE,
        "patch_size": PATCH,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=JOINT))


def build_image_processor() -> CLIPImageProcessor:
    """Resize and crop to the model's input, normalise with CLIP's constants."""
    return CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    )


def encode_image(model: CLIPModel, pixels: Tensor, kept: int, noise: torch.Generator) -> Tensor:
    """Embed images from ``kept`` random patches each (FLIP, Li et al. 2023).

    Args:
        pixels: ``[B, 3, S, S]`` normalised.
        kept: patches per image; all of them keep their order.

    Returns:
        ``[B, D]`` unit norm.
    """
    vision = model.vision_model
    tokens = vision.embeddings(pixels)
    patches = tokens.shape[1] - 1
    if kept < patches:
        order = torch.rand(len(pixels), patches, generator=noise).argsort(dim=1)[:, :kept] + 1
        chosen = order[..., None].expand(-1, -1, tokens.shape[-1])
        tokens = torch.cat([tokens[:, :1], tokens.gather(1, chosen)], dim=1)
    hidden = vision.encoder(inputs_embeds=vision.pre_layrnorm(tokens)).last_hidden_state
    pooled = vision.post_layernorm(hidden[:, 0])
    return functional.normalize(model.visual_projection(pooled), dim=-1)


def encode_text(model: CLIPModel, ids: Tensor, mask: Tensor) -> Tensor:
    """``[B, L]`` token ids and mask -> ``[B, D]`` unit norm."""
    features = model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
    return functional.normalize(features, dim=-1)


def contrastive_loss(images: Tensor, texts: Tensor, logit_scale: Tensor) -> Tensor:
    """Symmetric InfoNCE (CLIP, Radford et al. 2021, figure 3)."""
    logits = logit_scale.exp().clamp(max=100) * images @ texts.T
    labels = torch.arange(len(logits))
    return (
        functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)
    ) / 2
