"""Small CLIPs, deep enough that a last layer differs from the others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel

TEXT = {
    "vocab_size": 60,
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
    "bos_token_id": 57,
    "eos_token_id": 58,
    "pad_token_id": 59,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


@pytest.fixture
def clip() -> CLIPModel:
    """16 patches, 3 vision layers of 4 heads, joint width 16; weights large enough to matter."""
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=16))
    for parameter in model.vision_model.encoder.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def resnet() -> ShieldCLIPModel:
    """A ResNet tower with 4 x 4 locations."""
    torch.manual_seed(0)
    fields = {"text_config": TEXT, "projection_dim": 16}
    return ShieldCLIPModel(ShieldCLIPConfig.for_resnet("resnet10t", 64, stride=16, **fields))


@pytest.fixture
def batch() -> dict[str, Any]:
    """Three pictures and three captions of 5, 3 and 0 words."""
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    ids = [[57, 3, 4, 5, 6, 7, 58], [57, 8, 9, 10, 58, 59, 59], [57, 58, 59, 59, 59, 59, 59]]
    tokens = torch.tensor(ids)
    return {"pixel_values": pixels, "input_ids": tokens, "attention_mask": (tokens != 59).long()}
