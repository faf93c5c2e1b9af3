"""The knowledge elements of a batch of captions, each different one encoded once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.training.gather import gather, gather_ragged, own_rows


@dataclass(frozen=True)
class CaptionElements:
    """Unique elements, and which caption has which.

    The letters are those of the batch: N captions of all processes, U unique elements, at most M
    of them per caption.
    """

    embeddings: Tensor
    """``[U, D]`` unit norm."""
    index: Tensor
    """``[N, M]``, rows of ``embeddings``; negative where a caption has fewer than M elements."""

    @property
    def known(self) -> Tensor:
        """``[N]`` bool, captions that have elements at all."""
        return (self.index >= 0).any(dim=-1)

    def incidence(self) -> Tensor:
        """``[N, U]`` bool, caption n has element u."""
        captions, unique = len(self.index), len(self.embeddings)
        # Padding goes to a column of its own, which is cut off.
        place = torch.where(self.index >= 0, self.index, unique)
        marks = torch.zeros(captions, unique + 1, dtype=torch.bool, device=place.device)
        return marks.scatter_(1, place, True)[:, :unique]

    def sharing(self) -> Tensor:
        """``[N, N]`` bool, two captions have an element in common."""
        incidence = self.incidence().float()
        return incidence @ incidence.T > 0

    def others(self, rows: Tensor) -> Tensor:
        """Captions whose elements can speak against an image.

        Args:
            rows: ``[B]``, the captions of the images.

        Returns:
            ``[B, N]`` bool: captions that have elements and share none with the image's own.
        """
        return ~self.sharing()[rows] & self.known

    def own(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The elements of some captions ``[B]`` -> ``[B, M, D]`` and ``[B, M]`` bool, valid."""
        index = self.index[rows]
        return self.embeddings[index.clamp_min(0)], index >= 0


def gather_elements(embeddings: Tensor, keys: Tensor, index: Tensor) -> CaptionElements:
    """The elements of all processes' captions, with gradient.

    Args:
        embeddings: ``[U, D]``, this process's unique elements; at least one row.
        keys: ``[U]`` int64, the same for the same element in every process.
        index: ``[B, M]``, rows of these; negative where there is none.

    Returns:
        Elements of all N captions in order of rank; one that several processes have counts once.
    """
    all_keys, inverse = torch.unique(gather(keys), return_inverse=True)
    occurrence = torch.arange(len(inverse), device=inverse.device)
    first = torch.zeros_like(all_keys).scatter_reduce_(
        0, inverse, occurrence, "amin", include_self=False
    )
    place = torch.where(index >= 0, inverse[own_rows(keys)][index.clamp_min(0)], -1)
    return CaptionElements(gather(embeddings)[first], gather_ragged(place, fill=-1))
