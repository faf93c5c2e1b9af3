"""Configuration of `ShieldCLIPModel`: that of a CLIP, plus a tower and a knowledge head."""

# No `from __future__ import annotations` here: it switches the checks of `@strict` off.
from typing import Any, Self

from huggingface_hub.dataclasses import strict
from transformers import CLIPConfig


@strict
class ShieldCLIPConfig(CLIPConfig):
    """A `CLIPConfig` with flat fields for what ShieldCLIP adds.

    For a ResNet, ``vision_config`` means: ``hidden_size`` channels of the last map,
    ``patch_size`` its stride in pixels (8, 16 or 32), ``num_attention_heads`` of the pooling, and
    ``num_hidden_layers`` 0; `for_resnet` fills it in.
    """

    model_type = "shieldclip"

    image_tower: str = "vit"
    """``vit``, or a ResNet of timm such as ``resnet50``."""
    knowledge_temperature: float = 0.07
    """Initial temperature of patch-knowledge scores (τ_k), trained."""
    attention_temperature: float = 0.07
    """Initial temperature of the attention target (τ_a), trained."""
    knowledge_projection: bool = False
    """Whether knowledge elements pass a linear map, at first the identity, on their way from the
    text tower to the patches."""
    knowledge_width: int = 0
    """Width E of knowledge elements that another encoder than the text tower has embedded, and that
    a linear map brings to the patches; 0: the text tower embeds them."""
    initializer_range: float = 0.02

    def validate_head(self) -> None:
        """Called by `@strict` on construction.

        Raises:
            ValueError: a temperature that is not positive, or a negative width.
        """
        if self.knowledge_width < 0:
            raise ValueError(f"Expected knowledge_width >= 0, got {self.knowledge_width}.")
        for name in ("knowledge_temperature", "attention_temperature"):
            if getattr(self, name) <= 0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")

    @classmethod
    def from_clip(cls, clip: CLIPConfig, **fields: Any) -> Self:
        """The configuration of a plain CLIP, extended.

        Args:
            clip: configuration to take every field from.
            fields: what ShieldCLIP adds, where it differs from the defaults.
        """
        ours = ("model_type", "architectures", "transformers_version")
        plain = {key: value for key, value in clip.to_dict().items() if key not in ours}
        return cls(**{**plain, **fields})

    @classmethod
    def for_resnet(
        cls, name: str, image_size: int, stride: int = 32, heads: int | None = None, **fields: Any
    ) -> Self:
        """A model with a ResNet image tower, to be trained from scratch.

        Args:
            name: a ResNet of timm, e.g. ``resnet50``.
            image_size: side S of the input, in pixels.
            stride: pixels per location of the last map: P = (S / stride)².
            heads: attention heads of the pooling; one for every 64 channels unless given.
            fields: further fields, ``text_config`` and ``projection_dim`` among them.

        Raises:
            ShieldCLIPError: timm has no ResNet of that name.
        """
        from shieldclip.modeling.resnet import channels

        width = channels(name)
        vision = {
            "hidden_size": width,
            "num_attention_heads": heads or width // 64,
            "num_hidden_layers": 0,
            "image_size": image_size,
            "patch_size": stride,
        }
        return cls(vision_config=vision, image_tower=name, **fields)
