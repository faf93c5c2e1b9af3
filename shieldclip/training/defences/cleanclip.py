"""CleanCLIP: views of one side are tied to each other, so that a trigger stands for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss


@dataclass(kw_only=True)
class CleanCLIP(Defence):
    """Repairs a trained model on clean pairs (Bansal et al., ICCV 2023).

    ``CLIP + w [InfoNCE(image, its second view) + InfoNCE(caption, its second view)]``

    Attributes:
        in_modal: w.
    """

    in_modal: Annotated[float, Field(ge=0)] = 0.5

    @property
    @override
    def second_views(self) -> float:
        """Of every pair."""
        return 1.0

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``images`` and ``texts``."""
        del moment
        pairs = len(batch["row"])
        images, images_again = map(gather, _two_views(output.image_embeds, pairs))
        texts, texts_again = map(gather, _two_views(output.text_embeds, pairs))
        rows = own_rows(batch["row"])
        loss, scale = ContrastiveLoss(), output.logit_scale
        return LossTerms(
            {
                "contrastive": loss(images, texts, scale, rows),
                "images": self.in_modal * loss(images, images_again, scale, rows),
                "texts": self.in_modal * loss(texts, texts_again, scale, rows),
            }
        )


def _two_views(embeds: Tensor | None, pairs: int) -> tuple[Tensor, Tensor]:
    """First and second views, ``[B, D]`` each."""
    assert embeds is not None
    assert len(embeds) == 2 * pairs
    return embeds[:pairs], embeds[pairs:]
