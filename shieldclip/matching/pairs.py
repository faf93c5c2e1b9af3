"""Pairs of a picture and one of its captions; equal captions are one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, eq=False)
class Pairs:
    """N pairs over R rows and T different captions.

    A row with several captions makes several pairs.
    """

    texts: tuple[str, ...]
    """The different captions, in order of appearance."""
    row: Tensor
    """``[N]`` int64, rising: the row of each pair."""
    text: Tensor
    """``[N]`` int64: place of its caption in `texts`."""

    @staticmethod
    def of(captions: Sequence[Sequence[str]]) -> Pairs:
        """The pairs of captions given row by row.

        Raises:
            ShieldCLIPError: a row without a caption, a blank one, or fewer than two different
                captions, among which nothing can be chosen.
        """
        places: dict[str, int] = {}
        rows, texts = [], []
        for row, of_row in enumerate(captions):
            if not of_row or not all(caption.strip() for caption in of_row):
                raise ShieldCLIPError(
                    f"Expected a caption in every row, but row {row} has an empty one; "
                    "fill it in or remove the row."
                )
            for caption in of_row:
                rows.append(row)
                texts.append(places.setdefault(caption, len(places)))
        if len(places) < 2:
            raise ShieldCLIPError(
                f"Expected at least two different captions to choose from, got {len(places)}; "
                "match a larger data set."
            )
        return Pairs(tuple(places), torch.tensor(rows), torch.tensor(texts))

    def of_rows(self, rows: ArrayLike) -> Pairs:
        """Only the pairs of some rows; the texts to choose from stay all."""
        chosen = torch.from_numpy(np.isin(self.row.numpy(), rows))
        return Pairs(self.texts, self.row[chosen], self.text[chosen])

    def __len__(self) -> int:
        return len(self.row)

    def pool(self, size: int | None, seed: int) -> Tensor:
        """``[M]`` int64, rising: the texts to choose from, all or a random sample of them."""
        if size is None or size >= len(self.texts):
            return torch.arange(len(self.texts))
        generator = torch.Generator().manual_seed(seed)
        return torch.randperm(len(self.texts), generator=generator)[:size].sort().values
