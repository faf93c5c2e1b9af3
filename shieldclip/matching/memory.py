"""Matching of features that are all in memory."""

from __future__ import annotations

from shieldclip.matching.centring import Middle
from shieldclip.matching.features import ImageFeatures, TextFeatures
from shieldclip.matching.judge import Distances, Matching, judge
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.search import find_nearest, own_distances
from shieldclip.matching.settings import MatchSettings


def match_features(
    pairs: Pairs, images: ImageFeatures, texts: TextFeatures, settings: MatchSettings
) -> Matching:
    """Match R pictures with the captions of all.

    Args:
        pairs: N pairs over R rows and T texts.
        images: of the R rows.
        texts: of the T texts.
        settings: how.

    Raises:
        ShieldCLIPError: features that are not finite, or settings that do not fit.
    """
    pool = pairs.pool(settings.pool, settings.seed)
    middle = Middle.of([images]) if settings.centring else None
    found = find_nearest(images, [(pool, texts.take(pool))], settings, middle)
    own = own_distances(images, pairs.row, texts.take(pairs.text), settings, middle)
    distances = Distances(own, found.distance[pairs.row], found.text[pairs.row])
    return judge(pairs, distances, settings)
