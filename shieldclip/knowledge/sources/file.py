"""Knowledge that someone has written already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from shieldclip.knowledge.knowledge import knowledge_file, load_knowledge
from shieldclip.knowledge.parsing import Answer, normalise, sift


class File:
    """Looks texts up in a knowledge file, or in knowledge that ships with the package.

    Captions find the elements of the names in them (`Knowledge.of_caption`); phrases that no
    source may give are rejected here too.

    Args:
        spec: what `load_knowledge` takes.
    """

    prompt_version = ""

    def __init__(self, spec: str) -> None:
        self._knowledge = load_knowledge(spec)
        self.name = f"file:{Path(spec).name}" if Path(spec) == knowledge_file(spec) else spec

    def answers(self, texts: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """In order."""
        for text in texts:
            yield text, sift(map(normalise, self._knowledge.of_caption(text)), text)
