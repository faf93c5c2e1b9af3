"""RoCLIP: every few epochs images are trained with the nearest captions of a bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.bank import Bank
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.defences.recurrence import recurs
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss

Count = Annotated[int, Field(gt=0)]


@dataclass(kw_only=True)
class RoCLIP(Defence):
    """A wrong caption teaches nothing while another takes its place (Yang et al., NeurIPS 2023).

    In a matching epoch each image meets the embedding of a bank that is nearest to its own, in
    place of its caption's. Epochs between are CLIP's own. All batches enter the bank, so that it
    is fresh when it is needed; until it is full every pair keeps its caption.

    Attributes:
        bank: captions in the bank; 1 to 2 % of the data as published.
        first_match: first matching epoch, counted from 0.
        match_every: K, epochs from one matching epoch to the next.
    """

    needs_epochs: ClassVar[bool] = True

    bank: Count = 21_845
    first_match: Annotated[int, Field(ge=0)] = 1
    match_every: Count = 2

    def __post_init__(self) -> None:
        """Start with an empty bank."""
        self.captions = Bank(self.bank)

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """One term, ``contrastive``."""
        images, texts = output.image_embeds, output.text_embeds
        due = recurs(moment.epoch, self.first_match, self.match_every)
        matched = due and self.captions.full
        partners = self.captions.nearest(images) if matched else texts
        loss = ContrastiveLoss()(
            gather(images), gather(partners), output.logit_scale, own_rows(images)
        )
        if matched:  # processes wait for a gradient of the text tower
            loss = loss + 0 * texts.sum()
        self.captions.push(gather(texts.detach()))
        return LossTerms({"contrastive": loss})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        """The bank."""
        return self.captions.state_dict()

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore the bank."""
        self.captions.load_state_dict(state)
