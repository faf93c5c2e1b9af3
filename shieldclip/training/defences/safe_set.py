"""Which pairs SafeCLIP takes for safe: those whose captions fit best, more of them every epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shieldclip.training.defences.base import PairsView

_BLOCK = 1024
"""Pictures, or texts, whose features are in memory at once."""
_EQUAL = 1e-6
"""Similarities that differ by less are the same: there are no two groups."""


class SafeSet:
    """A share of the pairs: judged once by a mixture of two Gaussians, then growing."""

    def __init__(self, certainty: float, growth: float, most: float) -> None:
        """No pair has been judged.

        Args:
            certainty: posterior of the upper Gaussian above which a pair is safe at first.
            growth: of the share, per choice.
            most: share that growth ends at; a larger first share stays as it is.
        """
        self.certainty, self.growth, self.most = certainty, growth, most
        self._share = torch.tensor(torch.nan, dtype=torch.float64)

    def choose(self, similarity: Tensor) -> Tensor:
        """Safe pairs: those of largest similarity, as many as the share says by now.

        Args:
            similarity: ``[N]`` of each pair's picture and caption.

        Returns:
            ``[N]`` bool.
        """
        if self._share.isnan():
            self._share.fill_(certain_share(similarity.double().numpy(), self.certainty))
        else:
            grown = (self._share + self.growth).clamp(max=self.most)
            self._share = torch.maximum(self._share, grown)
        count = round(float(self._share) * len(similarity))
        safe = torch.zeros(len(similarity), dtype=torch.bool)
        safe[similarity.argsort(descending=True, stable=True)[:count]] = True
        return safe

    def state_dict(self) -> dict[str, Tensor]:
        """The share."""
        return {"share": self._share}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._share = state["share"].clone()


def certain_share(similarity: NDArray[np.float64], certainty: float) -> float:
    """Share of pairs whose posterior of the Gaussian with the higher mean exceeds ``certainty``.

    Args:
        similarity: ``[N]``.
        certainty: in [0, 1].

    Returns:
        In [0, 1]; 1 where all similarities are equal.
    """
    from sklearn.mixture import GaussianMixture

    if len(similarity) < 2 or np.ptp(similarity) < _EQUAL:
        return 1.0
    column = similarity[:, None]
    fitted = GaussianMixture(2, random_state=0).fit(column)
    posterior = fitted.predict_proba(column)[:, fitted.means_[:, 0].argmax()]
    return float((posterior > certainty).mean())


def own_similarity(pairs: PairsView) -> Tensor:
    """Cosine of each picture with its captions, their mean where there are several: ``[N]``."""
    captions = pairs.captions
    texts = list(dict.fromkeys(text for own in captions for text in own))
    read = torch.cat(
        [
            pairs.read_texts(texts[start : start + _BLOCK]).whole
            for start in range(0, len(texts), _BLOCK)
        ]
    )
    place = {text: n for n, text in enumerate(texts)}
    means = []
    for start in range(0, len(captions), _BLOCK):
        rows = range(start, min(start + _BLOCK, len(captions)))
        images = pairs.see_images(rows).features.whole
        own = torch.tensor([n for n, row in enumerate(rows) for _ in captions[row]])
        said = torch.tensor([place[text] for row in rows for text in captions[row]])
        cosines = (images[own] * read[said]).sum(dim=1).cpu()
        sums = cosines.new_zeros(len(rows)).index_add_(0, own, cosines)
        means.append(sums / own.bincount(minlength=len(rows)))
    return torch.cat(means)
