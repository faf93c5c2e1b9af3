"""What a source of knowledge is, and the one that asks a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from shieldclip.knowledge.cache import AnswerCache
from shieldclip.knowledge.parsing import Answer, parse_answer
from shieldclip.knowledge.prompts import Prompt

ANSWER_TOKENS = 96
"""Most tokens of a chat answer; ten phrases fit."""


class KnowledgeSource(Protocol):
    """Says what is to be seen of texts."""

    @property
    def name(self) -> str:
        """Written into rows as their source."""

    @property
    def prompt_version(self) -> str:
        """Name of the prompt; empty where nothing is asked."""

    def answers(self, texts: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """Every text once, in any order, as soon as its answer is there."""


class Model(Protocol):
    """Something that can be asked in words."""

    prompt: Prompt

    @property
    def name(self) -> str:
        """Written into rows as their source."""

    @property
    def identity(self) -> str:
        """What an answer depends on besides prompt and text."""

    def ask(self, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Text and raw answer, in order; all that came before an error is raised."""


class Asked:
    """A model as a source: texts already answered come from the cache, the rest is asked.

    Raw answers are cached one by one, so that an error costs none of them and a better parser needs
    no new ones.
    """

    def __init__(self, model: Model, cache: Path) -> None:
        self.model = model
        self._cache = AnswerCache(cache, f"{model.identity}\n{model.prompt.completion('')}")

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def prompt_version(self) -> str:
        """The prompt's name."""
        return self.model.prompt.name

    def answers(self, texts: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """Cached texts first."""
        missing = []
        for text in texts:
            raw = self._cache.get(text)
            if raw is None:
                missing.append(text)
            else:
                yield text, parse_answer(raw, text, self.model.prompt)
        for text, raw in self.model.ask(missing):
            self._cache.add([(text, raw)])
            yield text, parse_answer(raw, text, self.model.prompt)
