"""Semantic Shield with relative evidence, judged early, remembered, and applied to every loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.defences.judges import Judges
from shieldclip.training.defences.rank_densities import EVEN
from shieldclip.training.defences.states import join_states, state_of
from shieldclip.training.defences.suspicion import NO_CUE
from shieldclip.training.defences.trust import Trust, TrustRule
from shieldclip.training.gather import gather, gather_ragged, own_rows
from shieldclip.training.losses import (
    AttentionAlignmentLoss,
    CaptionElements,
    ContrastiveLoss,
    ElementPresenceLoss,
    UnlikelihoodLoss,
    gather_elements,
)
from shieldclip.training.losses.precision import products
from shieldclip.training.losses.rank_evidence import (
    caption_fit,
    joint_rank,
    knowledge_fit,
    own_rank,
    rivals,
)

_SPREAD_OUT = 2_654_435_761
"""Spreads tokens over the numbers that meanings have (multiplicative hashing, Knuth, TAOCP 6.4)."""

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(kw_only=True)
class SemanticShieldPlus(Defence):
    """What differs from `SemanticShield`, and why.

    - Evidence is the rank of a pair's own caption among the batch's, by embedding and by
      knowledge elements (`rank_evidence`), each counted by how much it knows (`Judges`). Absolute
      alignment is what a trigger's patch learns first: poisons end up trusted more than clean
      pairs.
    - A pair is trusted or not (`Trust`), from early on, and the verdict weighs all three losses,
      the knowledge loss included. What an epoch's plan has replaced speaks against captions that
      mean the same.
    - What is distrusted is learned as wrong (`UnlikelihoodLoss`), and captions count as negatives
      as often as their meaning is true: many false captions must not make a model avoid a name.
    - Knowledge is learned per element (`ElementPresenceLoss`), so that attributes shared by many
      concepts hold against a few poisons.

    Attributes:
        knowledge_weight: of the element loss.
        attention_weight: μ_A.
        warm_up: share of the run in which every pair is trusted.
        first_share: of pairs set aside while the model cannot judge yet.
        competent: see `TrustRule`.
        most: see `TrustRule`.
        spread: see `TrustRule`.
        fewest: see `TrustRule`.
        centring: see `caption_fit`; for models that begin with nothing.
        excess: see `Excess`.
        words: whether captions are judged by every word that they have in common, and not only by
            what they mean as a whole: a wrong caption may be right but for one word.
        least_misfit: see `Suspicion`.
    """

    revision: ClassVar[int] = 3
    needs_knowledge: ClassVar[bool] = True

    knowledge_weight: Annotated[float, Field(ge=0)] = 0.5
    attention_weight: Annotated[float, Field(ge=0)] = 0.1
    warm_up: Share = 0.0
    first_share: Share = 0.4
    competent: Share = 0.1
    most: Share = 0.7
    spread: Share = 0.02
    fewest: Annotated[float, Field(gt=0, le=1)] = 1.0
    centring: Annotated[float, Field(ge=0, le=1)] = 0.0
    excess: Annotated[float, Field(ge=1)] = 1.0
    words: bool = False
    least_misfit: Annotated[float, Field(gt=0, le=EVEN)] = EVEN

    def __post_init__(self) -> None:
        """Start with an empty memory."""
        rule = TrustRule(
            first_share=self.first_share,
            competent=self.competent,
            most=self.most,
            spread=self.spread,
            fewest=self.fewest,
            excess=self.excess,
            least_misfit=self.least_misfit,
        )
        self.trust = Trust(rule)
        self.judges = Judges(self.most)

    @override
    def head_parameters(self) -> frozenset[str]:
        """Temperature and bias of knowledge; the target of attention keeps its temperature."""
        return frozenset({"log_knowledge_scale", "knowledge_bias", "projection.weight"})

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``unlikelihood``, ``knowledge`` and ``attention``."""
        assert output.element_embeds is not None
        rows = own_rows(output.image_embeds)
        elements = gather_elements(
            output.element_embeds, batch["element_keys"], batch["element_index"]
        )
        shown = _shown(output, elements)
        images, texts = gather(output.image_embeds), gather(output.text_embeds)
        competing = rivals(elements)
        ranks = self._ranks(images, texts, gather(shown.detach()), elements, competing)
        trusted, frequencies = self._verdict(batch, ranks, moment)
        share = trusted.float().mean().clamp_min(1 / len(trusted))
        weights, refused = (trusted / share)[rows], (~trusted / share)[rows]
        pairs = (images, texts, output.logit_scale)
        knowledge = ElementPresenceLoss()(shown, elements, rows, weights)
        # What a distrusted picture shows is not known, but that it is not what its caption says.
        negatives = trusted[:, None] | ~competing
        terms = {
            "contrastive": ContrastiveLoss()(*pairs, rows, weights, frequencies, negatives),
            "unlikelihood": UnlikelihoodLoss()(*pairs, competing, rows, refused, frequencies),
            "knowledge": self.knowledge_weight * knowledge,
            "attention": self.attention_weight * _attention(output, elements, rows, weights),
        }
        return LossTerms(terms, evidence=-ranks[rows], weight=weights)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        """The memory of ranks."""
        return join_states(trust=self.trust.state_dict(), judges=self.judges.state_dict())

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore the memory."""
        self.trust.load_state_dict(state_of("trust", state))
        self.judges.load_state_dict(state_of("judges", state))

    def _verdict(self, batch: Batch, ranks: Tensor, moment: Moment) -> tuple[Tensor, Tensor]:
        """Of all processes' pairs: whether trusted ``[N]``, how often true ``[N]``."""
        cues = self._cues(batch)
        self.trust.accuse(_accused(batch))
        trusted = self.trust.judge(*_keys(batch), cues, ranks)
        if moment.progress < self.warm_up:
            return torch.ones_like(trusted), torch.ones_like(ranks)
        return trusted, self.trust.frequencies(cues)

    def _cues(self, batch: Batch) -> Tensor:
        """``[N, K]`` of all processes' captions: what they mean and, if asked for, their words."""
        meanings = gather(meanings_of(batch))[:, None]
        if not self.words:
            return meanings
        return torch.cat([meanings, gather_ragged(words_of(batch), fill=NO_CUE)], dim=1)

    def _ranks(
        self,
        images: Tensor,
        texts: Tensor,
        shown: Tensor,
        elements: CaptionElements,
        competing: Tensor,
    ) -> Tensor:
        """Joint rank ``[N]`` of all processes' pairs from ``[N, D]``, ``[N, D]``, ``[N, U]``."""
        by_caption = own_rank(caption_fit(images, texts, self.centring), competing)
        by_knowledge = own_rank(knowledge_fit(shown, elements), competing)
        by_knowledge = by_knowledge.where(elements.known, torch.nan)
        return joint_rank(by_caption, by_knowledge, self.judges.weights(by_caption, by_knowledge))


def _shown(output: ShieldCLIPOutput, elements: CaptionElements) -> Tensor:
    """Logits ``[B, U]`` of "image b shows element u"."""
    assert output.patch_embeds is not None
    assert output.knowledge_scale is not None
    assert output.knowledge_bias is not None
    best = products(output.patch_embeds, elements.embeddings).amax(dim=1)
    return output.knowledge_scale * best + output.knowledge_bias


def _attention(
    output: ShieldCLIPOutput, elements: CaptionElements, rows: Tensor, weights: Tensor
) -> Tensor:
    """The attention loss; its temperature is not trained."""
    assert output.patch_attention is not None
    assert output.patch_embeds is not None
    assert output.attention_scale is not None
    scale = output.attention_scale.detach()
    loss: Tensor = AttentionAlignmentLoss()(
        output.patch_attention, output.patch_embeds, elements, scale, rows, weights
    )
    return loss


def _keys(batch: Batch) -> tuple[Tensor, Tensor]:
    """``[N]`` pairs and ``[N]`` pictures; a new caption makes both of them new."""
    pairs, pictures = batch["row"], batch["picture"]
    if "recaptioned" in batch:
        pairs, pictures = pairs + batch["recaptioned"], pictures ^ batch["recaptioned"]
    return gather(pairs), gather(pictures)


def _accused(batch: Batch) -> Tensor:
    """``[n]`` int64: what the captions meant that an epoch's plan has replaced."""
    if "recaptioned" not in batch:
        return torch.zeros(0, dtype=torch.int64)
    return gather(batch["own_meaning"])[gather(batch["recaptioned"]) != 0]


def meanings_of(batch: Batch) -> Tensor:
    """``[B]`` int64, equal for captions with equal elements; those without any share one.

    The same numbers as ``own_meaning``, but of the captions in use.
    """
    keys, index = batch["element_keys"], batch["element_index"]
    return torch.where(index >= 0, keys[index.clamp_min(0)], 0).sum(dim=1)


def words_of(batch: Batch) -> Tensor:
    """``[B, L]`` int64, equal for equal tokens; `NO_CUE` at BOS, EOS and padding."""
    first_views = slice(len(batch["row"]))
    tokens, mask = batch["input_ids"][first_views], batch["attention_mask"][first_views].bool()
    inside = torch.zeros_like(mask)
    inside[:, 1:-1] = mask[:, 2:]  # neither the first nor the last
    return torch.where(inside, tokens * _SPREAD_OUT, NO_CUE)
