"""Texts and a source -> rows of knowledge and a summary of their quality."""

from __future__ import annotations

from collections.abc import Iterable

from shieldclip.knowledge.parsing import Answer
from shieldclip.knowledge.rows import KnowledgeRow
from shieldclip.knowledge.sources.base import KnowledgeSource
from shieldclip.knowledge.summary import Summary, summarise
from shieldclip.progress import progress_bar


def collect(texts: Iterable[str], source: KnowledgeSource) -> tuple[list[KnowledgeRow], Summary]:
    """Ask a source about every text once; rows come in the order in which texts first occur."""
    unique = list(dict.fromkeys(texts))
    answers: dict[str, Answer] = {}
    with progress_bar(f"Knowledge from {source.name}", len(unique)) as advance:
        for text, answer in source.answers(unique):
            answers[text] = answer
            advance(1)
    rows = [
        KnowledgeRow(text, answers[text].elements, source.name, source.prompt_version)
        for text in unique
    ]
    return rows, summarise([answers[text] for text in unique])
