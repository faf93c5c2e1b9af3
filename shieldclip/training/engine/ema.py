"""A moving average of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """``average <- decay * average + (1 - decay) * weights`` after each step."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Begin at the model's weights."""
        self.decay = decay
        self.average = {
            name: value.detach().clone()
            for name, value in model.state_dict().items()
            if value.is_floating_point()
        }

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the model's weights."""
        weights = model.state_dict()
        names = list(self.average)
        torch._foreach_lerp_(
            [self.average[name] for name in names],
            [weights[name] for name in names],
            1 - self.decay,
        )

    def load(self, average: dict[str, Tensor]) -> None:
        """Restore a saved average."""
        for name, value in average.items():
            self.average[name].copy_(value)

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """The model has the averaged weights inside, and its own after."""
        own = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.average, strict=False)
        try:
            yield
        finally:
            model.load_state_dict(own)
