"""Plans as they are drawn."""

from __future__ import annotations

import pytest
import torch
from matching_parts import SyntheticEncoder, picture
from PIL import Image

from shieldclip.matching import MatchSettings
from shieldclip.matching.plan import transport_plan


def plan(caption: str, encoder: SyntheticEncoder | None = None):
    from io import BytesIO

    encoder = encoder or SyntheticEncoder()
    pixels = encoder.preprocess(Image.open(BytesIO(picture([3, 3, 5, 5]))))
    return transport_plan(encoder, pixels, caption, MatchSettings())


def test_words_are_matched_with_the_patches_that_show_them():
    found = plan("w3 and w5")
    assert [flow.word for flow in found.words] == ["w3", "w5"]  # "and" has no token
    for flow in found.words:
        assert float(flow.patches.sum()) == pytest.approx(1, abs=1e-4)
    assert found.words[0].patches[:2].sum() > 0.99
    assert found.words[1].patches[2:].sum() > 0.99
    assert found.distance == pytest.approx(0, abs=1e-3)


def test_words_that_nothing_shows_cost_most():
    costs = {flow.word: flow.cost for flow in plan("w3 w0").words}
    assert costs["w0"] > costs["w3"] + 0.2


def test_a_caption_without_words_has_no_plan():
    assert plan("!!") is None


def test_tokens_are_numbered_where_words_cannot_be_told_apart():
    class Joining(SyntheticEncoder):
        def token_features(self, texts):
            features, mask = super().token_features(texts)
            if len(texts) > 1:  # beginnings do not add up to the whole caption
                mask = torch.zeros_like(mask)
            return features, mask

    words = [flow.word for flow in plan("w3 and w5", Joining()).words]
    assert words == ["token 1", "token 2"]
