"""Small bags of features, and the distance between them by another library in float64."""

from __future__ import annotations

import warnings

import numpy as np
import ot
import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.transport import Bags


def generator_of(seed: int) -> torch.Generator:
    """A generator of its own for every seed."""
    return torch.Generator().manual_seed(seed)


def unit_vectors(generator: torch.Generator, *shape: int, spread: float = 1.0) -> Tensor:
    """Noise around four directions shared by all; the smaller the spread, the more alike."""
    centres = torch.randn(4, shape[-1], generator=torch.Generator().manual_seed(0))
    chosen = centres[torch.randint(4, shape[:-1], generator=generator)]
    return normalize(chosen + spread * torch.randn(shape, generator=generator), dim=-1)


def random_captions(
    generator: torch.Generator, count: int, longest: int, width: int, spread: float = 1.0
) -> Bags:
    """Captions of 1 to ``longest`` words."""
    words = unit_vectors(generator, count, longest, width, spread=spread)
    sizes = torch.randint(1, longest + 1, (count, 1), generator=generator)
    return Bags.pack(words, torch.arange(longest) < sizes)


def reference_distance(
    patches: Tensor, words: Tensor, epsilon: float, iterations: int = 3000
) -> float:
    """``<T_ε, C>`` by POT in float64, for uniform weights."""
    cost = 1 - patches.double().numpy() @ words.double().numpy().T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # POT warns where it stops at numItermax.
        plan = ot.sinkhorn(
            [], [], cost, epsilon, method="sinkhorn_log", stopThr=1e-10, numItermax=iterations
        )
    return float((plan * cost).sum())


def reference_distances(
    patches: Tensor, captions: Bags, epsilon: float, iterations: int = 3000
) -> np.ndarray:
    """``[I, N]``, infinite for empty captions."""
    bags = torch.split(captions.features, captions.sizes.tolist())
    return np.array(
        [
            [
                reference_distance(image, bag, epsilon, iterations) if len(bag) else np.inf
                for bag in bags
            ]
            for image in patches
        ]
    )
