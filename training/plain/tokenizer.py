"""A small tokenizer in CLIP's format, so that a small checkpoint stays small."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, trainers
from transformers import CLIPTokenizer

ENTRIES = 8_000
CONTEXT = 32
"""Longest caption, in tokens, with BOS and EOS."""

_BOS, _EOS = "<|startoftext|>", "<|endoftext|>"


def train_tokenizer(texts: Iterable[str]) -> CLIPTokenizer:
    """A byte-level BPE with CLIP's normalisation, splitting and special tokens.

    Fewer than ``ENTRIES`` entries result when every word of ``texts`` is already one entry.
    """
    pieces = CLIPTokenizer()._tokenizer
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=_EOS))
    trained.normalizer, trained.pre_tokenizer = pieces.normalizer, pieces.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES - 2,
        min_frequency=1,
        end_of_word_suffix="</w>",
        initial_alphabet=_byte_alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    with tempfile.TemporaryDirectory() as folder:
        vocab_file, merges_file = trained.model.save(folder)
        vocab: dict[str, int] = json.loads(Path(vocab_file).read_text(encoding="utf-8"))
        lines = Path(merges_file).read_text(encoding="utf-8").splitlines()[1:]
    for symbol in (*(f"{byte}</w>" for byte in _byte_alphabet()), _BOS, _EOS):
        vocab.setdefault(symbol, len(vocab))
    return CLIPTokenizer(
        vocab=vocab,
        merges=[tuple(line.split(" ")) for line in lines],
        model_max_length=CONTEXT,
    )


def _byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes, so that no text is unknown."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())
