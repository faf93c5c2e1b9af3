"""Semantic Shield as published (Ishmam and Thomas, CVPR 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
    KnowledgeAlignmentLoss,
    KnowledgeWeightedContrastiveLoss,
    gather_elements,
)
from shieldclip.training.losses.alignment import patch_relevance
from shieldclip.training.losses.knowledge_weights import absolute_evidence

ATTENTION_LOSSES = {"kl": AttentionAlignmentLoss, "bce": AttentionAlignmentBCELoss}


@dataclass(kw_only=True)
class SemanticShield(Defence):
    """``L_CL · λ + μ_KE L_KE + μ_A L_Attn``: knowledge is found in its image, attention goes
    where it is found, and pairs whose attended patches fit it weigh more.

    Attributes:
        knowledge_weight: μ_KE.
        attention_weight: μ_A.
        attention_loss: ``kl`` (ours) or ``bce`` (the authors').
        warm_up: share of the run in which all λ are 1, since alignment is random at first.
    """

    needs_knowledge: ClassVar[bool] = True

    knowledge_weight: Annotated[float, Field(gt=0)] = 1.0
    attention_weight: Annotated[float, Field(gt=0)] = 0.1
    attention_loss: Literal["kl", "bce"] = "kl"
    warm_up: Annotated[float, Field(ge=0, le=1)] = 0.1

    @override
    def head_parameters(self) -> frozenset[str]:
        """Both temperatures, the bias, and the projection where there is one."""
        return frozenset(
            {"log_knowledge_scale", "log_attention_scale", "knowledge_bias", "projection.weight"}
        )

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``knowledge`` and ``attention``."""
        assert output.patch_embeds is not None
        assert output.patch_attention is not None
        assert output.element_embeds is not None
        rows = own_rows(output.image_embeds)
        elements = gather_elements(
            output.element_embeds, batch["element_keys"], batch["element_index"]
        )
        relevance = patch_relevance(output.patch_embeds, elements, rows)
        evidence = absolute_evidence(output.patch_attention, relevance, elements.known[rows])
        weighted = KnowledgeWeightedContrastiveLoss()
        weights = weighted.weights(gather(evidence), 0)
        if moment.progress < self.warm_up:
            weights = weights.new_ones(weights.shape)
        contrastive = weighted.contrastive(
            gather(output.image_embeds),
            gather(output.text_embeds),
            output.logit_scale,
            rows,
            weights[rows],
        )
        knowledge = KnowledgeAlignmentLoss()(
            output.patch_embeds, elements, output.knowledge_scale, output.knowledge_bias, rows
        )
        attention = ATTENTION_LOSSES[self.attention_loss]()(
            output.patch_attention, output.patch_embeds, elements, output.attention_scale, rows
        )
        terms = {
            "contrastive": contrastive,
            "knowledge": self.knowledge_weight * knowledge,
            "attention": self.attention_weight * attention,
        }
        return LossTerms(terms, evidence=evidence, weight=weights[rows])
