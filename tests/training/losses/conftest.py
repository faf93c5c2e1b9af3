"""A batch of random joint-space embeddings in float64."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize, softmax

from shieldclip.training.losses import CaptionElements

INDEX = [[0, 1, -1], [2, 3, 4], [-1, -1, -1], [5, 1, -1], [6, -1, -1]]
"""Five captions: 0 and 3 share element 1, caption 2 has none."""


@dataclass(frozen=True)
class Batch:
    """B = N = 5 pairs, P = 4 patches, U = 7 elements, D = 8."""

    images: Tensor
    texts: Tensor
    patches: Tensor
    attention: Tensor
    elements: CaptionElements


def make_batch(dtype: torch.dtype = torch.float64) -> Batch:
    noise = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, 8, generator=noise, dtype=torch.float64)

    def embed(*shape: int) -> Tensor:
        return normalize(draw(*shape), dim=-1).to(dtype).requires_grad_()

    attention = softmax(draw(5, 4).sum(-1), dim=-1).to(dtype).requires_grad_()
    elements = CaptionElements(embed(7), torch.tensor(INDEX))
    return Batch(embed(5), embed(5), embed(5, 4), attention, elements)


@pytest.fixture
def batch() -> Batch:
    return make_batch()


@pytest.fixture(params=[torch.float16, torch.bfloat16])
def narrow(request: pytest.FixtureRequest) -> Batch:
    return make_batch(request.param)
