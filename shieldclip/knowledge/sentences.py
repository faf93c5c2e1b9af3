"""Vectors of knowledge elements from a sentence encoder that training does not touch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.progress import progress_bar


@dataclass(frozen=True)
class SentenceVectors:
    """One vector a phrase."""

    rows: Mapping[str, int]
    """Phrase -> row of `table`."""
    table: Tensor
    """``[V + 1, E]``, unit norm; the last row is 0, for what was not encoded."""

    def of(self, phrases: Sequence[str]) -> Tensor:
        """``[U, E]``; zeros for phrases that were not encoded."""
        return self.table[[self.rows.get(phrase, -1) for phrase in phrases]]


def sentence_vectors(spec: str, phrases: Collection[str], batch_size: int = 256) -> SentenceVectors:
    """Encode every phrase once: mean of the last hidden states, of unit norm.

    Args:
        spec: Hub id or folder of an encoder that transformers loads as `AutoModel`, with weights
            in safetensors. Code that comes with it is never run.
        phrases: what to encode; order and repeats do not matter.
        batch_size: phrases a forward pass, of similar length.

    Raises:
        ShieldCLIPError: nothing there that transformers can load.
    """
    tokenizer, model = _load(spec)
    ordered = sorted(set(phrases), key=lambda phrase: (len(phrase), phrase))
    table = torch.zeros(len(ordered) + 1, model.config.hidden_size)
    with progress_bar("Encoding knowledge elements", len(ordered)) as advance, torch.no_grad():
        for start in range(0, len(ordered), batch_size):
            part = ordered[start : start + batch_size]
            tokens = tokenizer(part, padding=True, truncation=True, return_tensors="pt")
            hidden = model(**tokens).last_hidden_state  # [n, L, E]
            mask = tokens["attention_mask"][..., None]
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            table[start : start + len(part)] = normalize(mean, dim=-1)
            advance(len(part))
    return SentenceVectors({phrase: row for row, phrase in enumerate(ordered)}, table)


def sentence_width(spec: str) -> int:
    """E of an encoder, without its weights.

    Raises:
        ShieldCLIPError: nothing there that transformers can load.
    """
    from transformers import AutoConfig

    try:
        return int(AutoConfig.from_pretrained(spec, trust_remote_code=False).hidden_size)
    except (OSError, ValueError, AttributeError) as error:
        raise _not_an_encoder(spec, error) from error


def _load(spec: str) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(spec, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            spec, trust_remote_code=False, use_safetensors=True, dtype="float32"
        )
    except (OSError, ValueError, ImportError) as error:
        raise _not_an_encoder(spec, error) from error
    return tokenizer, model.eval()


def _not_an_encoder(spec: str, error: Exception) -> ShieldCLIPError:
    reason = in_one_line(error, most=200)
    return ShieldCLIPError(
        f"Expected a sentence encoder at {spec!r}, got: {reason}; give the Hub id or folder of "
        "one with safetensors, or leave knowledge.encoder null."
    )
