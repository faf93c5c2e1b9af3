"""The transport plan between one picture and one caption, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.matching.features import encode_images, encode_texts
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport.sinkhorn import solve
from shieldclip.types import Encoder


@dataclass(frozen=True, eq=False)
class WordFlow:
    """Where a word's mass comes from."""

    word: str
    patches: Tensor
    """``[P]``: share of each patch, sums to 1."""
    cost: float
    """Mean cost of its mass, 0 (alike) to 2."""


@dataclass(frozen=True, eq=False)
class Plan:
    """One picture and one caption."""

    caption: str
    distance: float
    """``<T_ε, C>``."""
    words: tuple[WordFlow, ...]


def transport_plan(
    encoder: Encoder, pixels: Tensor, caption: str, settings: MatchSettings
) -> Plan | None:
    """The plan, tokens of a word together; ``None`` for a caption without words.

    Args:
        encoder: the model.
        pixels: ``[3, S, S]`` uint8.
        caption: cut at the model's context, like everywhere.
        settings: ε.

    Raises:
        ShieldCLIPError: features that are not finite.
    """
    patches = encode_images(encoder, pixels[None], [0]).patches  # [1, P, D]
    tokens = encode_texts(encoder, [caption]).words.features  # [L, D]
    if not len(tokens):
        return None
    cost = 1 - patches @ tokens.T  # [1, P, L]
    solution = solve(cost, epsilon=settings.epsilon)
    flows = []
    for word, bounds in _token_ranges(encoder, caption, len(tokens)):
        mass = solution.plan[0, :, bounds]  # [P, l]
        total = mass.sum().clamp_min(1e-12)
        price = (mass * cost[0, :, bounds]).sum() / total
        flows.append(WordFlow(word, mass.sum(1) / total, float(price)))
    return Plan(caption, float(solution.linear[0]), tuple(flows))


def _token_ranges(encoder: Encoder, caption: str, count: int) -> Sequence[tuple[str, slice]]:
    """Words between spaces and their tokens; an encoder only says how many tokens a text has.

    So the tokens of a word are those by which a caption that ends with it is longer. Where a
    tokenizer joins words, tokens are numbered instead.
    """
    words = caption.split()
    beginnings = [" ".join(words[: end + 1]) for end in range(len(words))]
    with torch.inference_mode():
        ends = encoder.token_features(beginnings)[1].sum(1).tolist()
    bounds = [0, *(min(end, count) for end in ends)]
    if bounds != sorted(bounds) or bounds[-1] != count:
        return [(f"token {place + 1}", slice(place, place + 1)) for place in range(count)]
    ranges = zip(words, bounds, bounds[1:], strict=False)
    return [(word, slice(start, end)) for word, start, end in ranges if end > start]
