"""Pictures against a part of a pool of captions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.matching.centring import Middle, centre
from shieldclip.matching.features import ImageFeatures, TextFeatures, with_wordless
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport import GlobalFeatures
from shieldclip.transport.pooling import top_captions

Pool = Iterable[tuple[Tensor, TextFeatures]]
"""Captions in chunks with their places ``[M]`` among the texts, rising. A search that chooses
candidates first walks over it twice."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some pictures and some captions of a pool."""

    picture: Tensor
    """``[I]`` int64: places among the pictures searched for."""
    images: ImageFeatures
    text: Tensor
    """``[M]`` int64, rising: places among the texts."""
    captions: TextFeatures
    """M, and one without a word where there are candidates."""
    candidates: Tensor | None = None
    """``[I, K]`` int64: which captions are compared; all unless given."""

    def among(self, chosen: Tensor) -> Chunk | None:
        """What is left of it where only texts ``[all pictures, K]`` are compared; if anything."""
        place = torch.searchsorted(self.text, chosen).clamp(max=len(self.text) - 1)
        here = self.text[place] == chosen
        picture = here.any(1).nonzero().squeeze(1)
        if not len(picture):
            return None
        place, here = place[picture], here[picture]
        # Pictures have different numbers of captions here: one without a word fills up.
        rows = place.masked_fill(~here, len(self.text))
        best_first = (~here).int().argsort(dim=1, stable=True)
        rows = rows.gather(1, best_first)[:, : int(here.sum(1).max())]
        images = self.images if len(picture) == len(self.picture) else self.images.take(picture)
        return Chunk(picture, images, self.text, with_wordless(self.captions), rows)


def chunks_of(
    images: ImageFeatures, pool: Pool, settings: MatchSettings, middle: Middle | None
) -> Iterator[Chunk]:
    """All pictures with the captions of the pool, centred where a middle is given."""
    picture = torch.arange(len(images.whole))
    for text, captions in pool:
        seen, read = (
            (images, captions) if middle is None else centre(images, captions, middle, settings)
        )
        yield Chunk(picture, seen, text, read)


def best_by_cosine(chunks: Iterable[Chunk], pictures: int, count: int) -> Tensor:
    """The texts with words of highest global cosine ``[I, count]``, best first, of all chunks.

    Fewer columns where fewer captions have words.
    """
    best, texts = torch.empty(pictures, 0), torch.empty(pictures, 0, dtype=torch.int64)
    for chunk in chunks:
        given = GlobalFeatures(chunk.images.whole, chunk.captions.whole)
        cosines, places = top_captions(given, chunk.captions.words, count)
        best, order = torch.cat([best, cosines], 1).sort(dim=1, descending=True, stable=True)
        texts = torch.cat([texts, chunk.text[places]], 1).gather(1, order)
        best, texts = best[:, :count], texts[:, :count]
    return texts.contiguous()
