"""SafeCLIP: pairs that do not fit teach each side by itself, and never together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.bank import Bank
from shieldclip.training.defences.base import (
    Batch,
    Defence,
    EpochPlan,
    LossTerms,
    Moment,
    PairsView,
)
from shieldclip.training.defences.safe_set import SafeSet, own_similarity
from shieldclip.training.defences.states import join_states, state_of
from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import ContrastiveLoss

Epochs = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(kw_only=True)
class SafeCLIP(Defence):
    """Few pairs are trusted at first, and more every epoch (Yang et al., ICML 2024).

    First come epochs without captions: two views of a picture are contrasted, one of them replaced
    by its nearest neighbour in a bank; so are two views of a caption. Then a slow epoch of CLIP's
    own loss. From then on CLIP's loss is for safe pairs (`SafeSet`), and the loss without captions
    for the others. A pair is in one of the two losses, and counts the same in both.

    Attributes:
        unimodal_epochs: without captions.
        clip_epochs: slow ones, of CLIP's own loss.
        clip_rate: their learning rate, as a share of the schedule's.
        certainty: see `SafeSet`.
        growth: see `SafeSet`.
        most: see `SafeSet`.
        bank: embeddings in each bank; until it is full, a view stands for its neighbour.
    """

    needs_epochs: ClassVar[bool] = True

    unimodal_epochs: Epochs = 5
    clip_epochs: Epochs = 1
    clip_rate: Annotated[float, Field(gt=0, le=1)] = 0.01
    certainty: Share = 0.9
    growth: Share = 0.01
    most: Share = 0.85
    bank: Annotated[int, Field(gt=0)] = 21_845

    def __post_init__(self) -> None:
        """Start with empty banks and no safe set."""
        self.images, self.texts = Bank(self.bank), Bank(self.bank)
        self.safe = SafeSet(self.certainty, self.growth, self.most)

    @property
    @override
    def second_views(self) -> float:
        """Of every pair, until plans say that safe ones need none."""
        return 1.0

    @override
    def learning_rate(self, epoch: int) -> float:
        """Slow where all captions are believed."""
        slow = 0 <= epoch - self.unimodal_epochs < self.clip_epochs
        return self.clip_rate if slow else 1.0

    @override
    def plan(self, epoch: int, pairs: PairsView) -> EpochPlan:
        """Pairs with weight 0 are trained without their captions."""
        if epoch < self.unimodal_epochs:
            return _without_captions(range(len(pairs.captions)))
        if epoch < self.unimodal_epochs + self.clip_epochs:
            return EpochPlan(seen_twice=frozenset())
        similarity = own_similarity(pairs)
        risky = (~self.safe.choose(similarity)).nonzero()[:, 0].tolist()
        return _without_captions(risky, _ranks(similarity))

    @override
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """Terms ``contrastive``, ``images`` and ``texts``, each a sum over its pairs over B."""
        del moment
        assert output.image_embeds is not None
        assert output.text_embeds is not None
        assert output.logit_scale is not None
        pairs, again, scale = len(batch["row"]), batch["again"], output.logit_scale
        images, texts = output.image_embeds, output.text_embeds
        weight = batch.get("pair_weight", torch.ones_like(batch["row"], dtype=torch.float32))
        believed = _believed(images[:pairs], texts[:pairs], weight > 0, scale)
        alone = [
            _alone(bank, views[:pairs][again], views[pairs:], scale)
            for bank, views in ((self.images, images), (self.texts, texts))
        ]
        terms = {
            "contrastive": believed / pairs,
            "images": alone[0] / (2 * pairs),
            "texts": alone[1] / (2 * pairs),
        }
        return LossTerms(terms, weight=weight)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        """Banks and safe share."""
        return join_states(
            images=self.images.state_dict(),
            texts=self.texts.state_dict(),
            safe=self.safe.state_dict(),
        )

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore them."""
        self.images.load_state_dict(state_of("images", state))
        self.texts.load_state_dict(state_of("texts", state))
        self.safe.load_state_dict(state_of("safe", state))


def _believed(images: Tensor, texts: Tensor, safe: Tensor, scale: Tensor) -> Tensor:
    """Sum of CLIP's loss over own safe pairs, which have no other negatives than safe pairs."""
    everyone = gather(safe)  # [N]
    rows = own_rows(safe)[safe]
    place = everyone.cumsum(0) - 1
    losses = ContrastiveLoss().per_pair(
        gather(images)[everyone], gather(texts)[everyone], scale, place[rows]
    )
    return losses.sum()


def _alone(bank: Bank, first: Tensor, second: Tensor, scale: Tensor) -> Tensor:
    """Sum over own ``[R, D]`` views of the contrast of each with the other's neighbour.

    The first views enter the bank afterwards.
    """
    rows, views = own_rows(first), (gather(first), gather(second))
    loss = ContrastiveLoss()
    halves = [
        loss.per_pair(gather(bank.nearest(one)) if bank.full else gather(one), other, scale, rows)
        for one, other in ((first, views[1]), (second, views[0]))
    ]
    bank.push(views[0])
    return (halves[0] + halves[1]).sum() / 2


def _without_captions(rows: Iterable[int], risk: Tensor | None = None) -> EpochPlan:
    """These rows teach each side by itself; all others are CLIP's."""
    chosen = frozenset(rows)
    return EpochPlan(
        weights=dict.fromkeys(sorted(chosen), 0.0),
        risk={} if risk is None else dict(enumerate(risk.tolist())),
        seen_twice=chosen,
    )


def _ranks(similarity: Tensor) -> Tensor:
    """Share of pairs that fit better ``[N]``, in [0, 1)."""
    order = similarity.argsort(descending=True, stable=True)
    ranks = torch.empty(len(order))
    ranks[order] = torch.arange(len(order)) / len(order)
    return ranks
