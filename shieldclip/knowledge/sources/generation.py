"""Greedy decoding in batches that reads what all prompts share only once."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prefix:
    """Tokens that all prompts begin with, and the model's memory of them."""

    tokens: tuple[int, ...]
    cache: Any
    """Key-value cache of a batch of one; never written to."""


def common_prefix(sequences: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The tokens that all sequences begin with, at least one short of the shortest."""
    shortest = min(map(len, sequences)) - 1
    length = 0
    while length < shortest and len({sequence[length] for sequence in sequences}) == 1:
        length += 1
    return tuple(sequences[0][:length])


@torch.inference_mode()
def read_prefix(model: Any, tokens: Sequence[int]) -> Prefix:
    """Run the model once over the shared tokens (at least one)."""
    ids = torch.tensor([list(tokens)], device=model.device)
    return Prefix(tuple(tokens), model(input_ids=ids, use_cache=True).past_key_values)


@torch.inference_mode()
def decode_greedily(
    model: Any,
    prompts: Sequence[Sequence[int]],
    prefix: Prefix | None,
    stops: Collection[int],
    limit: int,
) -> list[list[int]]:
    """The most likely continuation of every prompt, up to a stop token or ``limit`` tokens.

    Args:
        model: a causal language model of transformers.
        prompts: B token sequences, each beginning with the prefix.
        prefix: what was read before; ``None`` reads every prompt whole, with equal results.
        stops: tokens that end a continuation; they are not part of it.
        limit: most tokens of a continuation.
    """
    skip = len(prefix.tokens) if prefix else 0
    ids, mask = _pad_left([sequence[skip:] for sequence in prompts], model.device)
    cache = None
    if prefix:
        cache = copy.deepcopy(prefix.cache)
        cache.batch_repeat_interleave(len(prompts))
        mask = torch.cat([mask.new_ones(len(prompts), skip), mask], dim=1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, skip:]
    stop_ids = torch.tensor(sorted(stops), device=model.device)
    done = torch.zeros(len(prompts), dtype=torch.bool, device=model.device)
    chosen: list[Tensor] = []
    while len(chosen) < limit and not done.all():
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, ids = output.past_key_values, output.logits[:, -1].argmax(-1, keepdim=True)
        done |= torch.isin(ids[:, 0], stop_ids)
        chosen.append(torch.where(done, -1, ids[:, 0]))
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
        positions = positions[:, -1:] + 1
    rows = torch.stack(chosen, dim=1).tolist() if chosen else [[] for _ in prompts]
    return [[token for token in row if token >= 0] for row in rows]


def _pad_left(sequences: Sequence[Sequence[int]], device: Any) -> tuple[Tensor, Tensor]:
    """Ids and mask ``[B, L]``; padding comes first, so that all prompts end together."""
    length = max(map(len, sequences))
    ids = [[0] * (length - len(sequence)) + list(sequence) for sequence in sequences]
    mask = [[0] * (length - len(sequence)) + [1] * len(sequence) for sequence in sequences]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
