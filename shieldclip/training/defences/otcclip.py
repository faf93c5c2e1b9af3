"""OTCCLIP: pairs are matched anew by optimal transport, which also aligns patches and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.matching import MatchSettings
from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import (
    Batch,
    Defence,
    EpochPlan,
    LossTerms,
    Moment,
    PairsView,
)
from shieldclip.training.defences.early_plans import (
    both,
    rarest_words,
    thinned,
    without_repairs,
)
from shieldclip.training.defences.matching import Matching, MatchingRule
from shieldclip.training.defences.transport_terms import TransportRule, transport_terms
from shieldclip.training.defences.views import first_views
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss

Count = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(kw_only=True)
class OTCCLIP(Defence):
    """Matching by optimal transport, and transport losses (OTCCLIP, EMNLP 2025).

    As published, every pair takes the nearest caption in a matching epoch (``risk: 0``). By
    default here only suspicious pairs do, so that the others keep captions that fit them better.

    Attributes:
        first_match: see `MatchingRule.first`.
        match_every: see `MatchingRule.every`.
        pool: see `MatchingRule`.
        candidates: captions of the pool, the nearest by global features, that transport compares.
        epsilon: strength ε of the entropy.
        global_weight: α, share of the global cosine in the distance.
        centring: see `MatchSettings`; for models that begin with nothing.
        risk: see `MatchingRule`.
        remember: see `MatchingRule`.
        inter: see `TransportRule`.
        intra: see `TransportRule`.
        negatives: see `TransportRule`.
        views: share of each batch that is seen twice, for the intra-modal loss.
        warm_up: see `TransportRule`.
        excess: power in `thinned`, until plans repair; with 0 all pairs are trained on. Captions
            with the same rarest word mean the same.
        repair_from: plans repair once the two kinds of gaps lie so many deviations apart (`Split`);
            until then see `without_repairs`.
    """

    first_match: Annotated[int, Field(ge=0)] = 0
    match_every: Count = 1
    pool: Count = 16_384
    candidates: Count = 64
    epsilon: Annotated[float, Field(gt=0)] = 0.05
    global_weight: Share = 0.5
    centring: Share = 0.0
    risk: Share = 0.5
    remember: Share = 1.0
    inter: Weight = 0.1
    intra: Weight = 0.1
    negatives: Count = 7
    views: Share = 0.25
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.1
    excess: Weight = 0.0
    repair_from: Weight = 0.0

    def __post_init__(self) -> None:
        """Start with an empty pool."""
        self.matching = Matching(
            MatchingRule(
                self.first_match,
                self.match_every,
                self.pool,
                self.risk,
                self.remember,
                MatchSettings(
                    alpha=self.global_weight,
                    epsilon=self.epsilon,
                    candidates=self.candidates,
                    centring=self.centring,
                ),
            )
        )

    @property
    @override
    def second_views(self) -> float:
        """Needed by the intra-modal loss only."""
        return self.views if self.intra else 0.0

    @override
    def plan(self, epoch: int, pairs: PairsView) -> EpochPlan | None:
        """Captions of suspicious pairs are replaced, or early on the pairs left out."""
        if epoch < self.first_match:
            begins = epoch == 0 and self.excess > 0
            return thinned(rarest_words(pairs.captions), self.excess) if begins else None
        plan = self.matching.plan(epoch, pairs)
        if plan is None or plan.figures["separation"] >= self.repair_from:
            return plan
        meanings = rarest_words(pairs.captions)
        return both(without_repairs(plan, meanings), thinned(meanings, self.excess))

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``inter`` and ``intra``."""
        pairs = first_views(output, len(batch["row"]))
        contrastive = ContrastiveLoss()(
            gather(pairs.image_embeds),
            gather(pairs.text_embeds),
            output.logit_scale,
            own_rows(pairs.image_embeds),
        )
        return LossTerms(
            {"contrastive": contrastive, **self.transport_losses(output, batch, moment)}
        )

    def transport_losses(
        self, output: ShieldCLIPOutput, batch: Batch, moment: Moment, weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Terms ``inter`` and ``intra``; the batch enters the pool.

        Args:
            output: of the model, second views included.
            batch: this process's B pairs.
            moment: when.
            weights: ``[B]``, of pairs; equal unless given.
        """
        self.matching.remember(gather(batch["row"]))
        rule = TransportRule(self.inter, self.intra, self.negatives, self.epsilon, self.warm_up)
        return transport_terms(rule, output, batch, moment, weights)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        """What matching remembers."""
        return self.matching.state_dict()

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore it."""
        self.matching.load_state_dict(state)
