"""`ShieldCLIPModel`: a `CLIPModel` that in training also returns what the defences learn from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import CLIPModel
from transformers.models.clip.modeling_clip import image_text_contrastive_loss
from transformers.utils.generic import can_return_tuple

from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling.config import ShieldCLIPConfig
from shieldclip.modeling.head import KnowledgeHead
from shieldclip.modeling.initialization import LibraryInitialization
from shieldclip.modeling.output import ShieldCLIPOutput
from shieldclip.modeling.pretrained import copy_weights, load_clip
from shieldclip.modeling.tokens import word_mask
from shieldclip.modeling.towers import build_tower

MAX_SCALE = 100.0
"""Inverse temperatures grow no larger, as in CLIP (Radford et al. 2021, section 2.5)."""


class ShieldCLIPModel(LibraryInitialization, CLIPModel):
    """CLIP with a knowledge head that is trained and saved, and unused at inference.

    In evaluation mode this *is* CLIP: same weights, same operations, bit-equal logits. In training
    mode `forward` also returns patch, token and knowledge embeddings in the joint space, and the
    attention on patches. They come from the same weights, so inference needs none of it.
    """

    config_class = ShieldCLIPConfig

    def __init__(self, config: ShieldCLIPConfig) -> None:
        """Build with random weights (seed torch before).

        Raises:
            ShieldCLIPError: unknown ``config.image_tower``.
        """
        super().__init__(config)
        self.vision_model = build_tower(config)
        self.knowledge_head = KnowledgeHead(config)
        self.post_init()

    @classmethod
    def from_clip(cls, clip: CLIPModel | str | Path, **fields: Any) -> Self:
        """Shield a pretrained CLIP, to fine-tune it.

        Args:
            clip: a model, or the Hub id or folder of one.
            fields: of `ShieldCLIPConfig`, where the head should differ from its defaults.

        Returns:
            A float32 model with a copy of the weights of ``clip`` and a fresh head.

        Raises:
            ShieldCLIPError: not a CLIP that can be loaded, or fields that its weights do not fit.
        """
        if not isinstance(clip, (CLIPModel, str, Path)):
            raise ShieldCLIPError(
                f"Expected a CLIPModel, got {type(clip).__name__}; give a transformers CLIPModel, "
                "or the Hub id or folder of one."
            )
        plain = clip if isinstance(clip, CLIPModel) else load_clip(clip)
        shielded = cls(ShieldCLIPConfig.from_clip(plain.config, **fields))
        copy_weights(plain, shielded, fields)
        return shielded

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        element_input_ids: Tensor | None = None,
        element_attention_mask: Tensor | None = None,
        element_features: Tensor | None = None,
        output_local: bool | None = None,
        patch_index: Tensor | None = None,
        **kwargs: Any,
    ) -> ShieldCLIPOutput:
        """Embed images and texts, and compare them.

        All that a training step needs comes from this one call: gradients of what bypasses
        ``forward`` are not synchronised between processes.

        Args:
            input_ids: ``[B, L]`` captions.
            pixel_values: ``[B, 3, S, S]``, normalised.
            attention_mask: ``[B, L]``, 1 except at padding.
            position_ids: ``[B, L]``, where positions do not count from 0.
            return_loss: compute CLIP's own loss over this batch.
            interpolate_pos_encoding: accept images of other sizes (ViT only).
            element_input_ids: ``[U, L']``, unique knowledge elements of the batch, encoded if
                local features are returned.
            element_attention_mask: ``[U, L']``.
            element_features: ``[U, E]``, these elements as another encoder has embedded them, in
                place of ``element_input_ids``; E is ``config.knowledge_width``.
            output_local: return local features; as in training mode, unless given.
            patch_index: ``[B, K]``, image patches to encode, all unless given (ViT only, with
                local features); the returned patches are these.
            kwargs: for `CLIPModel.forward`, without local features.
        """
        shared: dict[str, Any] = {
            "input_ids": input_ids,
            "pixel_values": pixel_values,
            "attention_mask": attention_mask,
            "position_ids": position_ids,
            "return_loss": return_loss,
            "interpolate_pos_encoding": interpolate_pos_encoding,
        }
        if not (self.training if output_local is None else output_local):
            return ShieldCLIPOutput(**super().forward(**shared, return_dict=True, **kwargs))
        output = self._forward_local(**shared, patch_index=patch_index)
        if element_features is not None:
            output.element_embeds = self.knowledge_head(element_features)
        elif element_input_ids is not None:
            output.element_embeds = self._embed_elements(element_input_ids, element_attention_mask)
        return output

    @torch.no_grad()
    def bound_scales_(self) -> None:
        """Keep inverse temperatures at `MAX_SCALE` or below; call after each optimiser step."""
        head = self.knowledge_head
        for log_scale in (self.logit_scale, head.log_knowledge_scale, head.log_attention_scale):
            log_scale.clamp_(max=math.log(MAX_SCALE))

    def _forward_local(
        self,
        input_ids: Tensor,
        pixel_values: Tensor,
        attention_mask: Tensor | None,
        position_ids: Tensor | None,
        return_loss: bool | None,
        interpolate_pos_encoding: bool,
        patch_index: Tensor | None,
    ) -> ShieldCLIPOutput:
        vision = self.vision_model(
            pixel_values,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_patches=True,
            patch_index=patch_index,
        )
        text = self.text_model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids
        )
        image_embeds = normalize(self.visual_projection(vision.pooler_output), dim=-1)  # [B, D]
        text_embeds = normalize(self.text_projection(text.pooler_output), dim=-1)  # [B, D]
        scale, head = self.logit_scale.exp(), self.knowledge_head
        logits_per_text = text_embeds @ image_embeds.T * scale
        return ShieldCLIPOutput(
            loss=image_text_contrastive_loss(logits_per_text) if return_loss else None,
            logits_per_image=logits_per_text.T,
            logits_per_text=logits_per_text,
            text_embeds=text_embeds,
            image_embeds=image_embeds,
            text_model_output=text,
            vision_model_output=vision,
            patch_embeds=normalize(self.visual_projection(vision.patches), dim=-1),
            patch_attention=vision.patch_attention,
            token_embeds=normalize(self.text_projection(text.last_hidden_state), dim=-1),
            token_mask=word_mask(input_ids, self.config.text_config.eos_token_id),
            logit_scale=scale,
            knowledge_scale=head.log_knowledge_scale.exp(),
            knowledge_bias=head.knowledge_bias,
            attention_scale=head.log_attention_scale.exp(),
        )

    def _embed_elements(self, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
        text = self.get_text_features(input_ids=input_ids, attention_mask=attention_mask)
        embeddings: Tensor = self.knowledge_head(text.pooler_output)
        return embeddings

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, KnowledgeHead):
            module.reset_parameters()
