"""Image towers by name."""

from __future__ import annotations

from transformers import PreTrainedModel

from shieldclip.modeling.config import ShieldCLIPConfig
from shieldclip.modeling.resnet import ResNetTower
from shieldclip.modeling.vit import ViTTower


def build_tower(config: ShieldCLIPConfig) -> PreTrainedModel:
    """The image tower of a configuration, with random weights.

    Raises:
        ShieldCLIPError: unknown ``config.image_tower``.
    """
    if config.image_tower == "vit":
        return ViTTower._from_config(config.vision_config)
    return ResNetTower._from_config(config.vision_config, name=config.image_tower)
