"""Both methods: matching repairs pairs, knowledge weighs what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import (
    Batch,
    Defence,
    EpochPlan,
    LossTerms,
    Moment,
    PairsView,
)
from shieldclip.training.defences.early_plans import without_repairs
from shieldclip.training.defences.otcclip import OTCCLIP
from shieldclip.training.defences.semantic_shield_plus import SemanticShieldPlus, Share
from shieldclip.training.defences.states import join_states, state_of
from shieldclip.training.defences.views import first_views


@dataclass(kw_only=True)
class Shield(Defence):
    """`OTCCLIP` plans the epochs and aligns patches with words; `SemanticShieldPlus` weighs pairs.

    A repaired pair is judged anew: what is remembered of it belongs to the caption it had.

    Attributes:
        semantic: settings of `SemanticShieldPlus`.
        transport: settings of `OTCCLIP`.
        planned_share: of pairs set aside in each batch while the judge is still learning, in place
            of its ``first_share``, once a plan has found pairs to repair or leave out.
        repair_from: as that of `OTCCLIP`, but knowledge says which captions mean the same.
    """

    revision: ClassVar[int] = 2
    needs_knowledge: ClassVar[bool] = True

    semantic: SemanticShieldPlus = field(default_factory=SemanticShieldPlus)
    transport: OTCCLIP = field(default_factory=OTCCLIP)
    planned_share: Share = 0.4
    repair_from: Annotated[float, Field(ge=0)] = 0.0

    @property
    @override
    def second_views(self) -> float:
        """Those of the transport losses."""
        return self.transport.second_views

    @override
    def head_parameters(self) -> frozenset[str]:
        """Those of the knowledge losses."""
        return self.semantic.head_parameters()

    @override
    def plan(self, epoch: int, pairs: PairsView) -> EpochPlan | None:
        """Captions of suspicious pairs are replaced, or the pairs left out."""
        plan = self.transport.plan(epoch, pairs)
        if plan is None or epoch < self.transport.first_match:
            return plan
        if plan.figures["separation"] < self.repair_from:
            plan = without_repairs(plan, pairs.meanings)
        found = len(plan.captions) > 0 or plan.rows is not None
        self.semantic.trust.set_aside(self.planned_share if found else self.semantic.first_share)
        return plan

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """The terms of both."""
        judged = self.semantic.losses(first_views(output, len(batch["row"])), batch, moment)
        aligned = self.transport.transport_losses(output, batch, moment, judged.weight)
        return LossTerms({**judged.terms, **aligned}, judged.evidence, judged.weight)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        """Those of both."""
        return join_states(
            semantic=self.semantic.state_dict(), transport=self.transport.state_dict()
        )

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore both."""
        self.semantic.load_state_dict(state_of("semantic", state))
        self.transport.load_state_dict(state_of("transport", state))
