"""PAR: perturb what was learned, and recover what clean pairs confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Defence, LossTerms, Moment
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss, DepartureLoss


@dataclass(kw_only=True)
class PAR(Defence):
    """Repairs a trained model on clean pairs, away from where it began (Singh et al. 2024).

    ``CLIP - w [S_I 1(S_I <= τ) + S_T 1(S_T <= τ)]``, S the mean squared distance to the start.

    Attributes:
        departure: w.
        threshold: τ, in squared distances of unit-norm embeddings.
    """

    needs_start: ClassVar[bool] = True

    departure: Annotated[float, Field(ge=0)] = 0.5
    threshold: Annotated[float, Field(gt=0, le=4)] = 2.15

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``images`` and ``texts``; the latter are at most 0."""
        del moment
        images, texts = gather(output.image_embeds), gather(output.text_embeds)
        rows = own_rows(output.image_embeds)
        leave = DepartureLoss(self.threshold)
        return LossTerms(
            {
                "contrastive": ContrastiveLoss()(images, texts, output.logit_scale, rows),
                "images": self.departure * leave(images, gather(batch["start_images"]), rows),
                "texts": self.departure * leave(texts, gather(batch["start_texts"]), rows),
            }
        )
