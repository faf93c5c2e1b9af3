"""Answers that were paid for once: a file of JSON Lines a model and prompt."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path


class AnswerCache:
    """Raw answers by text, for one model and one prompt.

    What is added is appended and flushed, so that a killed run keeps it; a line that was cut off is
    ignored and asked again.

    Args:
        folder: where cache files lie.
        content: everything that an answer depends on besides its text.
    """

    def __init__(self, folder: Path, content: str) -> None:
        self._content = content
        self.path = folder / f"{_digest(content)[:16]}.jsonl"
        self._answers = dict(_read(self.path))

    def get(self, text: str) -> str | None:
        """The answer kept for a text, if there is one."""
        return self._answers.get(self._key(text))

    def add(self, answers: Iterable[tuple[str, str]]) -> None:
        """Keep answers to texts."""
        new = {self._key(text): answer for text, answer in answers}
        self._answers |= new
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps({"key": key, "answer": answer}) + "\n" for key, answer in new.items())
        with self.path.open("a+", encoding="utf-8") as file:
            if _ends_inside_a_line(self.path):
                file.write("\n")
            file.write("".join(lines))

    def _key(self, text: str) -> str:
        return _digest(f"{self._content}\0{text}")


def default_cache() -> Path:
    """``$SHIELDCLIP_CACHE``, else ``$XDG_CACHE_HOME/shieldclip``, else ``~/.cache/shieldclip``."""
    own = os.environ.get("SHIELDCLIP_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(own) if own else Path(base) / "shieldclip") / "knowledge"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _read(path: Path) -> Iterable[tuple[str, str]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            record = json.loads(line)
            yield record["key"], record["answer"]
        except (json.JSONDecodeError, KeyError, TypeError):
            continue  # cut off by a kill


def _ends_inside_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
