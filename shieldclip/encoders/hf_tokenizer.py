"""A transformers tokenizer that agrees with its model about where a text ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from shieldclip.encoders.base import Tokens
from shieldclip.encoders.safety import read_json
from shieldclip.errors import ShieldCLIPError, in_one_line

FILES = ("tokenizer_config.json", "tokenizer.json")
_POOL_AT_LARGEST_ID = 2
"""CLIP configurations written before transformers 4.31 say ``eos_token_id = 2``, whatever the
tokenizer; the model then takes the feature at the *largest* id of a text."""


class HFTokenizer:
    """Texts to ids, cut at the context length.

    A special token typed into a text is split into ordinary pieces: otherwise
    ``<|endoftext|>`` in a caption would end it for the model.
    """

    def __init__(
        self, folder: Path, context_length: int, padding: Literal["longest", "max_length"]
    ) -> None:
        """Load the tokenizer of a checkpoint folder.

        Raises:
            ShieldCLIPError: none there, unreadable, or in need of the checkpoint's own code.
        """
        self.folder = folder
        self.context_length = context_length
        self.padding = padding
        self.tokenizer = _load(folder)

    def __call__(self, texts: list[str]) -> Tokens:
        """N texts -> ids and word mask ``[N, L]``, L at most the context length."""
        batch = self.tokenizer(
            texts,
            padding=self.padding,
            truncation=True,
            max_length=self.context_length,
            split_special_tokens=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        return Tokens(ids=batch["input_ids"], words=batch["special_tokens_mask"] == 0)

    def check_vocabulary(self, size: int) -> None:
        """Refuse a tokenizer with ids the model has no embedding for.

        Raises:
            ShieldCLIPError: a larger vocabulary than the model's.
        """
        if len(self.tokenizer) > size:
            raise ShieldCLIPError(
                f"The tokenizer in {self.folder} has {len(self.tokenizer)} tokens, but the model "
                f"embeds {size}; use the tokenizer that belongs to this checkpoint."
            )

    def check_eos(self, eos_token_id: int) -> None:
        """Refuse a tokenizer whose end token is not where CLIP reads a text's feature.

        Raises:
            ShieldCLIPError: tokenizer and configuration disagree; features would be wrong.
        """
        own = self.tokenizer.eos_token_id
        last = int(self([" a"]).ids[0, -1])
        largest = len(self.tokenizer) - 1
        pooled = largest if eos_token_id == _POOL_AT_LARGEST_ID else eos_token_id
        if not own == last == pooled:
            raise ShieldCLIPError(
                f"The model reads a text's feature at token {pooled} (text_config.eos_token_id is "
                f"{eos_token_id}), but the tokenizer in {self.folder} ends texts with {last} "
                f"(eos_token_id {own}); make both agree."
            )


def _load(folder: Path) -> Any:
    from transformers import AutoTokenizer

    for name in FILES:
        if (folder / name).is_file():
            read_json(folder / name)
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"Unreadable tokenizer in {folder}: {reason}") from error
