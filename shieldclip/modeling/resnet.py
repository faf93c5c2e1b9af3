"""A ResNet image tower with CLIP's attention pooling."""

from __future__ import annotations

import re
from typing import Any

import timm
import torch
from timm.models.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn
from transformers import CLIPVisionConfig, initialization
from transformers.models.clip.modeling_clip import CLIPPreTrainedModel

from shieldclip.errors import ShieldCLIPError, unknown_name
from shieldclip.modeling.attention import attention_to_patches, explicit_attention
from shieldclip.modeling.initialization import LibraryInitialization
from shieldclip.modeling.output import TowerOutput

# Plain ResNets and their -c, -d, -s, -t stems; others keep buffers outside the checkpoint.
_NAME = re.compile(r"resnet\d+[cdst]?")
STRIDES = (8, 16, 32)
"""Pixels per location of the last map that timm can build."""


def channels(name: str) -> int:
    """Width of the last feature map of a ResNet.

    Raises:
        ShieldCLIPError: timm has no ResNet of that name.
    """
    with torch.device("meta"):
        return int(_backbone(name, stride=32).num_features)


def _backbone(name: str, stride: int) -> Any:
    available = [model for model in timm.list_models("resnet*") if _NAME.fullmatch(model)]
    if name not in available:
        raise unknown_name("image tower", name, ["vit", *available])
    return timm.create_model(
        name, pretrained=False, num_classes=0, global_pool="", output_stride=stride
    )


class ResNetTower(LibraryInitialization, CLIPPreTrainedModel):
    """A ResNet of timm; patches are the locations of its last map.

    The map's mean attends to all locations (Radford et al. 2021, section 2.3). A patch feature is
    the value of its location, since pooling is a weighted sum of values: so patches reach the
    joint space through the weights that the global feature uses.
    """

    config_class = CLIPVisionConfig
    main_input_name = "pixel_values"
    input_modalities = ("image",)

    def __init__(self, config: CLIPVisionConfig, name: str) -> None:
        """Build the network with random weights.

        Args:
            config: see `ShieldCLIPConfig` for the meaning of its fields here.
            name: a ResNet of timm.

        Raises:
            ShieldCLIPError: timm has no ResNet of that name.
        """
        super().__init__(config)
        self.gradient_checkpointing = False
        self.backbone = _backbone(name, config.patch_size)
        side = config.image_size // config.patch_size
        self.pooling = AttentionPooling(config.hidden_size, config.num_attention_heads, side**2)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, patch_index: Tensor | None = None, **_: Any
    ) -> TowerOutput:
        """Encode images ``[B, 3, S, S]``, normalised; patches are always returned.

        Raises:
            ShieldCLIPError: ``patch_index`` is given; convolutions need every pixel.
        """
        if patch_index is not None:
            raise ShieldCLIPError(
                "Expected every patch with a ResNet image tower, got a choice of them; "
                "train without patch dropping."
            )
        # timm checkpoints its stages when told to, and only then.
        self.backbone.grad_checkpointing = self.gradient_checkpointing and self.training
        pixels = pixel_values.to(self.pooling.position_embedding.dtype)
        feature_map = self.backbone.forward_features(pixels)  # [B, W, S / stride, S / stride]
        locations = feature_map.flatten(2).transpose(1, 2)  # [B, P, W]
        pooled, patches, attention = self.pooling(locations)
        return TowerOutput(
            last_hidden_state=locations,
            pooler_output=pooled,
            patches=patches,
            patch_attention=attention,
        )

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d):
            initialization.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, AttentionPooling):
            module.reset_parameters()
        # Residual branches start at zero (Goyal et al. 2017); children are initialised before.
        elif isinstance(module, BasicBlock):
            initialization.zeros_(module.bn2.weight)
        elif isinstance(module, Bottleneck):
            initialization.zeros_(module.bn3.weight)


class AttentionPooling(nn.Module):
    """The mean of a set of locations attends to the set and itself."""

    def __init__(self, width: int, heads: int, locations: int) -> None:
        """Allocate the weights.

        Args:
            width: W, channels of every location.
            heads: H, divides W.
            locations: P.
        """
        super().__init__()
        self.width, self.heads = width, heads
        self.position_embedding = nn.Parameter(torch.empty(1 + locations, width))
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal weights of standard deviation W^-½, no biases."""
        std = self.width**-0.5
        initialization.normal_(self.position_embedding, std=std)
        for projection in (self.q_proj, self.k_proj, self.v_proj):
            initialization.normal_(projection.weight, std=std)
            initialization.zeros_(projection.bias)

    def forward(self, locations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``[B, P, W]`` -> pooled ``[B, W]``, values ``[B, P, W]``, attention ``[B, P]``."""
        mean = locations.mean(dim=1, keepdim=True)
        tokens = torch.cat([mean, locations], dim=1) + self.position_embedding  # [B, 1 + P, W]
        query, key, value = self.q_proj(tokens[:, :1]), self.k_proj(tokens), self.v_proj(tokens)
        weights = explicit_attention(
            self._split(query), self._split(key), (self.width // self.heads) ** -0.5
        )  # [B, H, 1, 1 + P]
        # [B, H, 1, 1 + P] @ [B, H, 1 + P, W / H] -> [B, W]
        pooled = (weights.to(value.dtype) @ self._split(value)).flatten(1)
        return pooled, value[:, 1:], attention_to_patches(weights[:, :, 0])

    def _split(self, tokens: Tensor) -> Tensor:
        batch, length, _ = tokens.shape
        return tokens.view(batch, length, self.heads, -1).transpose(1, 2)  # [B, H, T, W / H]
