"""No defence: CLIP's own loss."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss


@dataclass(kw_only=True)
class Plain(Defence):
    """Symmetric InfoNCE over all pairs of the batch (CLIP, Radford et al. 2021)."""

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """One term, ``contrastive``."""
        del moment
        loss = ContrastiveLoss()(
            gather(output.image_embeds),
            gather(output.text_embeds),
            output.logit_scale,
            own_rows(output.image_embeds),
            batch.get("pair_weight"),
        )
        return LossTerms({"contrastive": loss})
