"""Any causal language model that transformers loads, GGUF files too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.knowledge.prompts import Prompt
from shieldclip.knowledge.sources.base import ANSWER_TOKENS
from shieldclip.knowledge.sources.generation import (
    Prefix,
    common_prefix,
    decode_greedily,
    read_prefix,
)
from shieldclip.knowledge.sources.weights import commit_of, fingerprint

COMPLETION_TOKENS = 40


class LanguageModel:
    """Answers prompts by greedy decoding; the same question always gets the same answer.

    Args:
        model: a Hub id, a folder, or ``folder/file.gguf``. Code that comes with a model is never
            run and weights are read from safetensors or GGUF only.
        prompt: the question.
        chat: ask through the tokenizer's chat template instead of letting the model continue text.
        batch_size: texts a forward pass.
        device: where the model runs.
        reuse_prefix: read the part that all prompts share once; ``False`` is for comparison.
    """

    def __init__(
        self,
        model: str,
        prompt: Prompt,
        *,
        chat: bool = False,
        batch_size: int = 16,
        device: str = "cpu",
        reuse_prefix: bool = True,
    ) -> None:
        self.model = model
        self.prompt = prompt
        self.chat = chat
        self.batch_size = batch_size
        self.device = device
        self.reuse_prefix = reuse_prefix

    @property
    def name(self) -> str:
        """``lm:`` and the model's id, or the last part of its path."""
        return f"lm:{Path(self.model).name if Path(self.model).exists() else self.model}"

    @property
    def identity(self) -> str:
        """What an answer depends on besides prompt and text: name, weights, way of asking.

        Raises:
            ShieldCLIPError: no such model, or on the Hub, which cannot be reached.
        """
        weights = self._revision or fingerprint(Path(self.model))
        return f"{self.name} {weights} {'chat' if self.chat else 'text'}"

    def ask(self, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Text and raw answer, batch by batch, in order."""
        for start in range(0, len(texts), self.batch_size):
            batch = texts[start : start + self.batch_size]
            yield from zip(batch, self._answer(batch), strict=True)

    def _answer(self, texts: Sequence[str]) -> list[str]:
        tokenizer, model = self._loaded
        answers = decode_greedily(
            model,
            [self._tokens(text) for text in texts],
            self._prefix,
            self._stops,
            ANSWER_TOKENS if self.chat else COMPLETION_TOKENS,
        )
        return [tokenizer.decode(answer, skip_special_tokens=True) for answer in answers]

    def _tokens(self, text: str) -> list[int]:
        tokenizer, _ = self._loaded
        if not self.chat:
            return list(tokenizer(self.prompt.completion(text))["input_ids"])
        written = tokenizer.apply_chat_template(
            self.prompt.messages(text), add_generation_prompt=True, tokenize=False
        )
        return list(tokenizer(written, add_special_tokens=False)["input_ids"])

    @cached_property
    def _prefix(self) -> Prefix | None:
        """What every prompt begins with, found from two that differ at once."""
        shared = common_prefix([self._tokens("apple"), self._tokens("Zebra 7")])
        return read_prefix(self._loaded[1], shared) if self.reuse_prefix and shared else None

    @cached_property
    def _stops(self) -> frozenset[int]:
        """End-of-text tokens and, where text is continued, tokens that hold a line break."""
        tokenizer, model = self._loaded
        ends = model.generation_config.eos_token_id
        stops = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        if not self.chat:
            # Merged tokens such as ".\n" would be missed by looking for "\n" alone.
            stops |= {i for i in range(len(tokenizer)) if "\n" in tokenizer.decode([i])}
        return frozenset(stops)

    @cached_property
    def _revision(self) -> str:
        """The commit of a Hub id, which is the one that is loaded; empty for a local model."""
        if Path(self.model).exists():
            return ""
        with _model_expected(self.model):
            return commit_of(_parts(self.model)[0])

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        tokenizer, model = load_language_model(self.model, self._revision)
        if self.chat and not tokenizer.chat_template:
            raise ShieldCLIPError(
                f"Expected a tokenizer with a chat template, got {self.model!r} without one; "
                "leave out --chat to let it continue text."
            )
        return tokenizer, model.to(self.device).eval()


def load_language_model(spec: str, revision: str = "") -> tuple[Any, Any]:
    """Tokenizer and model of a Hub id, a folder, or a GGUF file, in float32.

    Args:
        spec: where the model is.
        revision: commit of a Hub id; the newest unless given.

    Raises:
        ShieldCLIPError: nothing there that transformers can load.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder, file = _parts(spec)
    options = {"gguf_file": file} if file else {}
    options |= {"revision": revision} if revision else {}
    with _model_expected(spec):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **options)
        model = AutoModelForCausalLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype="float32", **options
        )
    return tokenizer, model


def _parts(spec: str) -> tuple[str, str]:
    """Folder or Hub id, and the GGUF file in it if one is named."""
    path = Path(spec)
    return (str(path.parent), path.name) if path.suffix == ".gguf" else (spec, "")


@contextmanager
def _model_expected(spec: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(
            f"Expected a causal language model at {spec!r}, got: {reason}; give a Hub id, a folder "
            "with safetensors, or folder/file.gguf (needs `pip install gguf`)."
        ) from error
