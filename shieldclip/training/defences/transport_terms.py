"""The transport losses of OTCCLIP, as terms of a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences.base import Batch, Moment
from shieldclip.training.losses.precision import products
from shieldclip.training.losses.transport_contrastive import TransportContrastiveLoss


@dataclass(frozen=True)
class TransportRule:
    """How transport losses are composed.

    Attributes:
        inter: weight of the loss between patches and words.
        intra: weight of the losses between two views of a picture and of a caption.
        negatives: sets that each is contrasted with; the most similar by global features.
        epsilon: strength ε of the entropy.
        warm_up: share of the run in which the weights rise linearly from 0.
    """

    inter: float
    intra: float
    negatives: int
    epsilon: float
    warm_up: float


def transport_terms(
    rule: TransportRule,
    output: ShieldCLIPOutput,
    batch: Batch,
    moment: Moment,
    weights: Tensor | None = None,
) -> dict[str, Tensor]:
    """Terms ``inter``, and ``intra`` where there are second views.

    Negatives are those of this process only.

    Args:
        rule: what is composed.
        output: of the model, second views included.
        batch: this process's B pairs.
        moment: when.
        weights: ``[B]``, of pairs.
    """
    assert output.patch_embeds is not None
    assert output.token_embeds is not None
    assert output.token_mask is not None
    assert output.logit_scale is not None
    pairs = len(batch["row"])
    rise = min(moment.progress / rule.warm_up, 1.0) if rule.warm_up else 1.0
    loss = TransportContrastiveLoss(rule.negatives + 1, rule.epsilon)
    scale = output.logit_scale.detach()
    images, patches = output.image_embeds.detach(), output.patch_embeds
    texts, words, mask = output.text_embeds.detach(), output.token_embeds, output.token_mask
    whole = mask.new_ones(patches.shape[:2])
    rivals = ~_equal_captions(batch["input_ids"])
    terms = {}
    if rule.inter:
        terms["inter"] = (rise * rule.inter) * loss(
            patches[:pairs],
            whole[:pairs],
            words[:pairs],
            mask[:pairs],
            _similarity(images[:pairs], texts[:pairs], rivals[:pairs, :pairs]),
            scale,
            weights,
        )
    seen = len(patches) - pairs
    if seen and rule.intra:
        some, again = slice(0, seen), slice(pairs, None)
        own = None if weights is None else weights[some]
        distinct = rivals[some, some]
        pictures = loss(
            patches[some],
            whole[some],
            patches[again],
            whole[again],
            _similarity(images[some], images[again], distinct),
            scale,
            own,
        )
        captions = loss(
            words[some],
            mask[some],
            words[again],
            mask[again],
            _similarity(texts[some], texts[again], distinct),
            scale,
            own,
        )
        terms["intra"] = (rise * rule.intra / 2) * (pictures + captions)
    return terms


def _similarity(left: Tensor, right: Tensor, rivals: Tensor) -> Tensor:
    """Cosines ``[B, B]``, ``-inf`` where two pairs are no negatives of each other."""
    return products(left, right).masked_fill(~rivals, -torch.inf)


def _equal_captions(input_ids: Tensor) -> Tensor:
    """Which captions are the same text: ``[R, L]`` -> ``[R, R]`` bool."""
    place: Tensor = torch.unique(input_ids, dim=0, return_inverse=True)[1]
    return place[:, None].eq(place)
