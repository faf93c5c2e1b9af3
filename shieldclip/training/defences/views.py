"""The pairs of a batch without their second views."""

from __future__ import annotations

from torch import Tensor

from shieldclip.modeling import ShieldCLIPOutput


def first_views(output: ShieldCLIPOutput, pairs: int) -> ShieldCLIPOutput:
    """The rows of the first ``pairs`` pictures and captions; scales and elements stay."""

    def first(rows: Tensor | None) -> Tensor | None:
        return None if rows is None else rows[:pairs]

    return ShieldCLIPOutput(
        image_embeds=first(output.image_embeds),
        text_embeds=first(output.text_embeds),
        patch_embeds=first(output.patch_embeds),
        patch_attention=first(output.patch_attention),
        token_embeds=first(output.token_embeds),
        token_mask=first(output.token_mask),
        element_embeds=output.element_embeds,
        logit_scale=output.logit_scale,
        knowledge_scale=output.knowledge_scale,
        knowledge_bias=output.knowledge_bias,
        attention_scale=output.attention_scale,
    )
