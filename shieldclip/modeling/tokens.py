"""Which positions of a tokenized text are words."""

from __future__ import annotations

import torch
from torch import Tensor

_POOL_AT_LARGEST_ID = 2
"""Old CLIP configurations give this ``eos_token_id``; CLIP then reads a text's feature at the
largest id instead."""


def word_mask(input_ids: Tensor, eos_token_id: int) -> Tensor:
    """Mark everything between the first token (BOS) and the end token.

    Args:
        input_ids: ``[B, L]``, as CLIP's tokenizer makes them.
        eos_token_id: of the text configuration.

    Returns:
        ``[B, L]`` bool.
    """
    if eos_token_id == _POOL_AT_LARGEST_ID:
        end = input_ids.argmax(dim=-1, keepdim=True)
    else:
        end = (input_ids == eos_token_id).int().argmax(dim=-1, keepdim=True)
    position = torch.arange(input_ids.shape[-1], device=input_ids.device)
    return (position > 0) & (position < end)
