"""Toy steps for the defences of others, and InfoNCE in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences import LossTerms, Moment, make_defence

WIDTH, SCALE = 6, 7.0


def embeds(count: int, seed: int) -> Tensor:
    """``[count, D]`` unit norm, float64."""
    noise = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, WIDTH, generator=noise, dtype=torch.float64)
    return normalize(rows, dim=-1).requires_grad_()


def seen(images: Tensor, texts: Tensor) -> ShieldCLIPOutput:
    return ShieldCLIPOutput(
        image_embeds=images, text_embeds=texts, logit_scale=torch.tensor(SCALE).double()
    )


def step(name: str, images: Tensor, texts: Tensor, epoch: int = 0, **batch: Tensor) -> LossTerms:
    """One step of a defence of that name, with its own defaults."""
    return make_defence({"name": name}).losses(seen(images, texts), batch, Moment(0, epoch, 0.0))


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def info_nce(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of every pair ``[N]``, both ways."""
    logits = SCALE * left @ right.T
    own = np.diag(logits)
    there = np.log(np.exp(logits).sum(axis=1)) - own
    back = np.log(np.exp(logits).sum(axis=0)) - own
    return (there + back) / 2


def nearest(queries: np.ndarray, bank: np.ndarray) -> np.ndarray:
    return bank[(queries @ bank.T).argmax(axis=1)]
