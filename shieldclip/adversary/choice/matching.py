"""What a defence by matching would say: gap and distance by optimal transport.

The attacker runs the defender's own search (docs/matching.md) on stamped pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from shieldclip.adversary.choice.candidates import Candidate
from shieldclip.adversary.choice.suspicion import Verdict
from shieldclip.matching import ImageFeatures, MatchSettings, Pairs
from shieldclip.matching.features import check_encoder, encode_texts, join_texts
from shieldclip.matching.search import find_nearest, own_distances
from shieldclip.progress import progress_bar
from shieldclip.types import Encoder


class MatchingJudge:
    """A `Judge` by transport.

    Args:
        encoder: the attacker's model.
        captions: of the data, by row.
        settings: the defender's.
        batch_size: texts encoded at once.

    Raises:
        ShieldCLIPError: a model without patch or token features, or an empty caption.
    """

    def __init__(
        self,
        encoder: Encoder,
        captions: Sequence[Sequence[str]],
        settings: MatchSettings,
        batch_size: int,
    ) -> None:
        self._encoder, self._settings = encoder, settings
        pairs = Pairs.of(captions)
        check_encoder(encoder, pairs.texts[:batch_size])
        places = pairs.pool(settings.pool, settings.seed)
        parts = []
        with progress_bar("reading captions", len(places)) as advance:
            for part in torch.split(places, batch_size):
                parts.append(encode_texts(encoder, [pairs.texts[place] for place in part]))
                advance(len(part))
        self._pool = (places, join_texts(parts))
        self._gaps: list[Tensor] = []
        self._distances: list[Tensor] = []

    def see(self, images: ImageFeatures, candidates: Sequence[Candidate], picture: Tensor) -> None:
        """Distance of each candidate, mean over its captions, and of the nearest of the pool."""
        sizes = torch.tensor([len(candidate.captions) for candidate in candidates])
        owner = torch.repeat_interleave(sizes)  # [captions]
        texts = [caption for candidate in candidates for caption in candidate.captions]
        features = encode_texts(self._encoder, texts)
        each = own_distances(images, picture[owner], features, self._settings)
        distance = torch.zeros(len(sizes)).index_add(0, owner, each) / sizes
        nearest = find_nearest(images, [self._pool], self._settings).distance
        self._gaps.append((distance - nearest[picture]).clamp_min(0))
        self._distances.append(distance)

    def verdict(self) -> Verdict:
        """Gap, and among equal gaps the distance."""
        return Verdict(("gap", "distance"), (torch.cat(self._gaps), torch.cat(self._distances)))
