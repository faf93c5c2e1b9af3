"""The nearest captions so far, over chunks of a pool."""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.matching.chunks import Chunk
from shieldclip.matching.features import ImageFeatures, TextFeatures, join_texts, wordless
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport import Nearest, SearchSettings, pair_distances
from shieldclip.transport.streaming import TIE

_AT_ONCE = 256
"""Near ties decided at once."""


class Leaders:
    """The nearest caption so far of every picture.

    Winners of two chunks are compared as captions of one search are: in float64 where they are
    near, and of equally near ones the first wins. So it does not matter how a pool is cut.
    """

    def __init__(self, pictures: int, settings: MatchSettings) -> None:
        """None yet."""
        self.text = torch.full((pictures,), -1, dtype=torch.int64)
        self.distance = torch.full((pictures,), torch.inf)
        self._settings = settings
        self._slack = SearchSettings(epsilon=settings.epsilon).slack
        self._captions: TextFeatures | None = None

    def challenge(self, chunk: Chunk, found: Nearest) -> None:
        """Enter the winners of a chunk."""
        some = (found.index >= 0).nonzero().squeeze(1)
        picture, index, distance = chunk.picture[some], found.index[some], found.distance[some]
        text, captions = chunk.text[index], chunk.captions.take(index)
        held = wordless(captions, len(self.text)) if self._captions is None else self._captions
        wins = distance < self.distance[picture]
        near = (distance - self.distance[picture]).abs() <= self._slack
        for few in torch.split(near.nonzero().squeeze(1), _AT_ONCE):
            images = chunk.images.take(some[few])
            new = self._precise(images, captions.take(few))
            old = self._precise(images, held.take(picture[few]))
            tied = (new - old).abs() <= TIE
            wins[few] = torch.where(tied, text[few] < self.text[picture[few]], new < old)
            distance[few] = new.float()
        taken = torch.arange(len(self.text))
        taken[picture[wins]] = len(taken) + wins.nonzero().squeeze(1)
        self._captions = join_texts([held, captions]).take(taken)
        self.text[picture[wins]], self.distance[picture[wins]] = text[wins], distance[wins]

    def _precise(self, images: ImageFeatures, captions: TextFeatures) -> Tensor:
        return pair_distances(
            images.patches,
            captions.words,
            epsilon=self._settings.epsilon,
            images=images.whole,
            texts=captions.whole,
            global_weight=self._settings.alpha,
            backend=self._settings.backend,
            precise=True,
        )
