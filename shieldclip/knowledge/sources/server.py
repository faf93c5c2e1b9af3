"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, TGI, hosted ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.knowledge.prompts import Prompt
from shieldclip.knowledge.sources.base import ANSWER_TOKENS

TIMEOUT = 120.0
"""Seconds that one answer may take."""

# OSError and the base error of whichever HTTP client this version of the library uses; ValueError
# is what a reply that is no JSON ends in.
_REQUEST_FAILED: tuple[type[Exception], ...] = (*HfHubHTTPError.__bases__, ValueError)


class Server:
    """Answers prompts through ``huggingface_hub.InferenceClient``, at temperature 0.

    The token, where a server wants one, is the one of ``huggingface-cli login`` or ``HF_TOKEN``.

    Args:
        base_url: e.g. ``http://localhost:8000/v1``.
        model: the name by which the server knows the model; empty for its only one.
        prompt: the question.
        batch_size: requests under way at once.
    """

    def __init__(self, base_url: str, model: str, prompt: Prompt, *, batch_size: int = 16) -> None:
        self.base_url = base_url
        self.model = model
        self.prompt = prompt
        self.batch_size = batch_size

    @property
    def name(self) -> str:
        """``server:`` and the model's name; the address stays out of data that is passed on."""
        return f"server:{self.model}"

    @property
    def identity(self) -> str:
        """Address and model."""
        return f"{self.name} {self.base_url}"

    def ask(self, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Text and raw answer, in order; of a batch in which a request fails, first the others.

        Raises:
            ShieldCLIPError: the server does not answer, or refuses.
        """
        with ThreadPoolExecutor(self.batch_size) as pool:
            for start in range(0, len(texts), self.batch_size):
                batch = texts[start : start + self.batch_size]
                replies = [pool.submit(self._answer, text) for text in batch]
                for text, reply in zip(batch, replies, strict=True):
                    if reply.exception() is None:
                        yield text, reply.result()
                for reply in replies:
                    reply.result()  # raises the first error

    @cached_property
    def _client(self) -> InferenceClient:
        return InferenceClient(base_url=self.base_url, timeout=TIMEOUT)

    def _answer(self, text: str) -> str:
        try:
            reply = self._client.chat_completion(
                self.prompt.messages(text),
                model=self.model or None,
                max_tokens=ANSWER_TOKENS,
                temperature=0.0,
                seed=0,
            )
        except _REQUEST_FAILED as error:
            reason = in_one_line(error, most=200)
            raise ShieldCLIPError(
                f"Expected chat completions from {self.base_url!r}, got: {reason}; check address "
                "and model. Answers so far are kept; run the same command again to go on."
            ) from error
        return str(reply.choices[0].message.content or "")
