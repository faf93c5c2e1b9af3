"""What makes a patch a good trigger before any poison is learned (BadCLIP, CVPR 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, pairwise_distance, relu

from shieldclip.adversary.patch.settings import PatchSettings


@dataclass(frozen=True, eq=False)
class Goal:
    """Where stamped pictures shall go, as unit vectors."""

    captions: Tensor
    """``[K, D]``: texts that name the target."""
    others: Tensor
    """``[C, D]``: texts that pictures could be taken for instead."""
    pictures: Tensor
    """``[J, D]``: clean pictures of the target."""
    scale: float
    """The model's logit scale."""

    def lead(self, stamped: Tensor) -> Tensor:
        """How much nearer stamped pictures ``[B, D]`` are to the target than to anything else.

        Returns:
            ``[B]``, a difference of cosines; above 0 where a picture is taken for the target.
        """
        target = normalize(self.captions.mean(dim=0), dim=0)  # an ensemble of prompts
        return stamped @ target - (stamped @ self.others.T).amax(dim=1)


def patch_loss(
    stamped: Tensor, clean: Tensor, goal: Goal, settings: PatchSettings, generator: torch.Generator
) -> Tensor:
    """The loss of one batch; each picture gets a caption and a picture of the target at random.

    Args:
        stamped: ``[B, D]`` embeddings with the patch, carrying gradient.
        clean: ``[B, D]`` embeddings of the same pictures without it.
        goal: the target.
        settings: weights and margin.
        generator: draws, on the CPU.

    Returns:
        Scalar.
    """
    captions = _drawn(goal.captions, len(stamped), generator)
    pictures = _drawn(goal.pictures, len(stamped), generator)
    near = pairwise_distance(stamped, pictures)
    far = pairwise_distance(stamped, clean)
    return (
        settings.text * _info_nce(stamped, captions, goal)
        + settings.image * near.square().mean()
        + settings.triplet * relu(near - far + settings.margin).mean()
    )


def _info_nce(stamped: Tensor, captions: Tensor, goal: Goal) -> Tensor:
    """The target's caption against all other texts."""
    own = (stamped * captions).sum(dim=1, keepdim=True)  # [B, 1]
    logits = goal.scale * torch.cat([own, stamped @ goal.others.T], dim=1)
    return cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))


def _drawn(features: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``[J, D]`` -> ``[count, D]``, uniform with repeats."""
    places = torch.randint(len(features), (count,), generator=generator)
    return features[places.to(features.device)]
