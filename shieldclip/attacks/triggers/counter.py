"""Counter-based random numbers: a number depends on (seed, stream, sample id, position) only.

`torch.Generator` draws in sequence, so that its numbers depend on the batch and on the device.
Here SplitMix64's mixing function (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators") hashes counters with wrapping int64 arithmetic, which every device does alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

PLACE = 1
"""Stream of the random places of patches."""
PATTERN = 2
"""Stream of the random patterns."""

_LANES = 4  # one 64-bit word yields four 16-bit numbers


def _signed(word: int) -> int:
    """The int64 of the same 64 bits."""
    return word - (1 << 64) if word >= 1 << 63 else word


_STEP = _signed(0x9E3779B97F4A7C15)
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)


def _shift(words: Tensor, bits: int) -> Tensor:
    """Shift right with zeros coming in (``>>`` on int64 repeats the sign)."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


def mix(words: Tensor) -> Tensor:
    """SplitMix64's finalizer, a bijection of int64, any shape."""
    words = (words ^ _shift(words, 30)) * _FIRST
    words = (words ^ _shift(words, 27)) * _SECOND
    return words ^ _shift(words, 31)


def random_words(seed: int, stream: int, indices: Tensor, count: int) -> Tensor:
    """``count`` random 64-bit words per sample id ``[B]`` -> ``[B, count]`` int64."""
    steps = torch.arange(1, count + 1, device=indices.device) * _STEP
    origin = torch.tensor(_signed((seed + stream * _STEP) % (1 << 64)), device=indices.device)
    keys = mix(mix(origin) + indices * _STEP)
    return mix(keys[:, None] + steps)


def _levels(seed: int, stream: int, indices: Tensor, shape: Sequence[int]) -> Tensor:
    """Integers uniform in ``[0, 65535]`` as float32 ``[B, *shape]``."""
    count = math.prod(shape)
    words = random_words(seed, stream, indices, -(-count // _LANES))
    levels = words.view(torch.int16)[:, :count].float() + 32768
    return levels.reshape(len(indices), *shape)


def uniform(seed: int, stream: int, indices: Tensor, shape: Sequence[int]) -> Tensor:
    """U[0, 1) in steps of 2^-16, finer than any picture: ``[B]`` ids -> ``[B, *shape]`` float32."""
    return _levels(seed, stream, indices, shape) / 65536


def normal(seed: int, stream: int, indices: Tensor, shape: Sequence[int]) -> Tensor:
    """N(0, 1) by Box and Muller (1958): ``[B]`` ids -> ``[B, *shape]`` float32, within +-4.9."""
    pairs = (_levels(seed, stream, indices, (2, *shape)) + 0.5) / 65536
    return torch.sqrt(-2 * torch.log(pairs[:, 0])) * torch.cos(2 * math.pi * pairs[:, 1])


def fixed_uniform(seed: int, stream: int, shape: Sequence[int]) -> Tensor:
    """U[0, 1) that is the same for all samples: ``[*shape]`` float32 on the CPU."""
    return uniform(seed, stream, torch.zeros(1, dtype=torch.int64), shape)[0]
