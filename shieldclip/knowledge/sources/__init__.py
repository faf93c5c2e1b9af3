"""Where knowledge comes from: one file a source, one registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shieldclip.errors import ShieldCLIPError, unknown_name
from shieldclip.knowledge.cache import default_cache
from shieldclip.knowledge.prompts import find_prompt
from shieldclip.knowledge.sources.base import Asked, KnowledgeSource
from shieldclip.knowledge.sources.file import File
from shieldclip.knowledge.sources.server import Server
from shieldclip.knowledge.sources.wordnet import WordNetSource

__all__ = ["SOURCES", "KnowledgeSource", "SourceOptions", "make_source"]


@dataclass(frozen=True)
class SourceOptions:
    """What may be set; each source reads what concerns it."""

    model: str = ""
    """Language model, name on the server, WordNet folder, or knowledge file."""
    prompt: str = "objects-v1"
    """A name of `shieldclip.knowledge.prompts.PROMPTS`."""
    chat: bool = False
    """Ask a language model through its chat template."""
    base_url: str = ""
    """Address of a server, up to and including ``/v1``."""
    batch_size: int = 16
    device: str = "cpu"
    cache: Path = field(default_factory=default_cache)
    """Folder for answers that were paid for."""


def _lm(options: SourceOptions) -> KnowledgeSource:
    if not options.model:
        raise _missing("lm", "--model ID, a folder, or folder/file.gguf")
    from shieldclip.knowledge.sources.lm import LanguageModel  # brings in torch

    model = LanguageModel(
        options.model,
        find_prompt(options.prompt),
        chat=options.chat,
        batch_size=options.batch_size,
        device=options.device,
    )
    return Asked(model, options.cache)


def _server(options: SourceOptions) -> KnowledgeSource:
    if not options.base_url:
        raise _missing("server", "--base-url http://localhost:8000/v1")
    prompt = find_prompt(options.prompt)
    server = Server(options.base_url, options.model, prompt, batch_size=options.batch_size)
    return Asked(server, options.cache)


def _wordnet(options: SourceOptions) -> KnowledgeSource:
    return WordNetSource(Path(options.model) if options.model else None)


def _file(options: SourceOptions) -> KnowledgeSource:
    if not options.model:
        raise _missing("file", "--model knowledge.parquet or --model embedded:icons")
    return File(options.model)


SOURCES: dict[str, Callable[[SourceOptions], KnowledgeSource]] = {
    "lm": _lm,
    "server": _server,
    "wordnet": _wordnet,
    "file": _file,
}
"""Sources by the name after ``--from``."""


def make_source(name: str, options: SourceOptions) -> KnowledgeSource:
    """A source of knowledge.

    Raises:
        ShieldCLIPError: an unknown name, or an option that it needs is missing.
    """
    if name not in SOURCES:
        raise unknown_name("source", name, SOURCES)
    return SOURCES[name](options)


def _missing(source: str, remedy: str) -> ShieldCLIPError:
    return ShieldCLIPError(f"Expected a model for --from {source}, got none; give {remedy}.")
