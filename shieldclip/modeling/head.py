"""The parameters that only knowledge-based losses use."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import initialization

from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling.config import ShieldCLIPConfig


class KnowledgeHead(nn.Module):
    """Temperatures and, where configured, a projection of knowledge elements.

    Trained and saved with the model, and not used at inference. Temperatures are kept as
    logarithms of their inverses, like CLIP's ``logit_scale``.
    """

    def __init__(self, config: ShieldCLIPConfig) -> None:
        """Parameters with their initial values."""
        super().__init__()
        self.initial_temperatures = (config.knowledge_temperature, config.attention_temperature)
        self.log_knowledge_scale = nn.Parameter(torch.empty(()))
        self.log_attention_scale = nn.Parameter(torch.empty(()))
        self.knowledge_bias = nn.Parameter(torch.empty(()))
        self.projection: nn.Linear | None = None
        if config.knowledge_projection or config.knowledge_width:
            width = config.knowledge_width or config.projection_dim
            self.projection = nn.Linear(width, config.projection_dim, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Configured temperatures, no bias; a projection that keeps all it can."""
        knowledge, attention = self.initial_temperatures
        # transformers' own functions leave alone what was read from a checkpoint.
        initialization.constant_(self.log_knowledge_scale, -math.log(knowledge))
        initialization.constant_(self.log_attention_scale, -math.log(attention))
        initialization.zeros_(self.knowledge_bias)
        if self.projection is not None:
            self._reset(self.projection)

    @staticmethod
    def _reset(projection: nn.Linear) -> None:
        if projection.in_features == projection.out_features:
            initialization.eye_(projection.weight)
        else:
            initialization.orthogonal_(projection.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Features of knowledge elements ``[U, D]`` or ``[U, E]`` -> ``[U, D]`` unit norm.

        Raises:
            ShieldCLIPError: features of another encoder than the head was built for.
        """
        if self.projection is not None:
            if features.shape[-1] != self.projection.in_features:
                raise ShieldCLIPError(
                    "Expected knowledge elements embedded by the sentence encoder that this model "
                    f"was trained with (width {self.projection.in_features}), got features of "
                    f"width {features.shape[-1]}; leave knowledge out, or embed them by that one."
                )
            features = self.projection(features)
        return functional.normalize(features, dim=-1)
