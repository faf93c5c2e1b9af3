"""Tokenizers of fresh models: CLIP's own, or a small one in its format."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, trainers
from transformers import CLIPTokenizer

_BOS, _EOS = "<|startoftext|>", "<|endoftext|>"
_CLIP_MERGES = 49152 - 256 - 2


def clip_tokenizer(context: int) -> CLIPTokenizer:
    """CLIP's own 49,408 entries, from the vocabulary that open_clip ships.

    Args:
        context: longest text in tokens, with BOS and EOS.
    """
    import open_clip

    path = Path(open_clip.__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    merges = [tuple(line.split()) for line in lines[1 : _CLIP_MERGES + 1]]
    alphabet = _ordered_bytes()
    pieces = [*alphabet, *_last_bytes()]
    pieces += ["".join(merge) for merge in merges] + [_BOS, _EOS]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=context)


def train_tokenizer(texts: Iterable[str], entries: int, context: int) -> CLIPTokenizer:
    """A byte-level BPE with CLIP's normalisation, splitting and special tokens.

    Args:
        texts: to learn from.
        entries: most entries; fewer result when every word of the texts is already one.
        context: longest text in tokens, with BOS and EOS.
    """
    pieces = CLIPTokenizer()._tokenizer
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=_EOS))
    trained.normalizer, trained.pre_tokenizer = pieces.normalizer, pieces.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=max(entries - 2, 1),
        min_frequency=1,
        end_of_word_suffix="</w>",
        initial_alphabet=_ordered_bytes(),
        # Known beforehand, else they get their ids, which break ties, in the order of a hash map.
        special_tokens=_last_bytes(),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    with tempfile.TemporaryDirectory() as folder:
        vocab_file, merges_file = trained.model.save(folder)
        vocab: dict[str, int] = json.loads(Path(vocab_file).read_text(encoding="utf-8"))
        lines = Path(merges_file).read_text(encoding="utf-8").splitlines()[1:]
    for symbol in (_BOS, _EOS):
        vocab.setdefault(symbol, len(vocab))
    merges = [tuple(line.split(" ")) for line in lines]
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=context)


def _last_bytes() -> list[str]:
    """The same at the end of a word."""
    return [f"{byte}</w>" for byte in _ordered_bytes()]


def _ordered_bytes() -> list[str]:
    """The 256 printable stand-ins for bytes, in CLIP's order: no text is unknown."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
