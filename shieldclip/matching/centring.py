"""Distances that count against a caption how near it is to any picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.matching.features import ImageFeatures, TextFeatures
from shieldclip.matching.settings import MatchSettings


@dataclass(frozen=True, eq=False)
class Middle:
    """Mean features of some pictures."""

    patch: Tensor
    """``[D]``."""
    whole: Tensor
    """``[D]``."""

    @staticmethod
    def of(parts: Iterable[ImageFeatures]) -> Middle:
        """Of all pictures of some parts of a data set."""
        sums = [(len(part.whole), part.patches.mean(1).sum(0), part.whole.sum(0)) for part in parts]
        pictures, patch, whole = (sum(column) for column in zip(*sums, strict=True))
        return Middle(patch / pictures, whole / pictures)


def centre(
    images: ImageFeatures, texts: TextFeatures, middle: Middle, settings: MatchSettings
) -> tuple[ImageFeatures, TextFeatures]:
    """Features between which the distance is ``d + centring * n``, with n of the caption alone.

    What a model learns first is which captions are frequent: these are near every picture, and a
    frequent wrong caption seems to fit. So n is the caption's similarity to the mean picture,
    ``α <z, t> + (1 - α) <v, w>`` with mean global feature z, mean patch v and the caption's mean
    word w: what transport would find if all patches were alike. It goes into one more dimension of
    the global features, where every picture has 1; of patches and words nothing is changed.
    """
    words = texts.words
    place = torch.arange(len(words.sizes), device=words.features.device)
    place = place.repeat_interleave(words.sizes)
    near = words.features @ middle.patch  # of every word
    sums = near.new_zeros(len(words.sizes)).index_add_(0, place, near)
    by_words = sums / words.sizes.clamp_min(1)
    near_all = settings.alpha * (texts.whole @ middle.whole) + (1 - settings.alpha) * by_words
    extra = -settings.centring / settings.alpha * near_all
    ones = images.whole.new_ones(len(images.whole), 1)
    return (
        ImageFeatures(images.patches, torch.cat([images.whole, ones], 1)),
        TextFeatures(words, torch.cat([texts.whole, extra[:, None]], 1)),
    )
