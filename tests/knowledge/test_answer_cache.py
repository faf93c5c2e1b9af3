"""Texts are asked once, and a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shieldclip.knowledge import collect
from shieldclip.knowledge.cache import AnswerCache, default_cache
from shieldclip.knowledge.prompts import PROMPTS
from shieldclip.knowledge.sources.base import Asked


class Parrot:
    """Answers with a fixed phrase, counts, and breaks off where a test wants it to."""

    name = "parrot"

    def __init__(self, prompt: str = "objects-v1", dies_at: int = 10**6) -> None:
        self.prompt = PROMPTS[prompt]
        self.identity = "parrot 1"
        self.dies_at = dies_at
        self.asked: list[str] = []

    def ask(self, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        for text in texts:
            if len(self.asked) == self.dies_at:
                raise KeyboardInterrupt
            self.asked.append(text)
            yield text, f"long tail, sound of {text}"


TEXTS = ["owl", "dog", "owl", "cat", "dog", "ant", "bee"]
UNIQUE = ["owl", "dog", "cat", "ant", "bee"]


def test_unique_texts_are_asked_once_and_come_in_order(tmp_path: Path) -> None:
    parrot = Parrot()
    rows, summary = collect(TEXTS, Asked(parrot, tmp_path))
    assert parrot.asked == UNIQUE
    assert [row.text for row in rows] == UNIQUE
    assert {row.elements for row in rows} == {("long tail",)}
    assert {(row.source, row.prompt_version) for row in rows} == {("parrot", "objects-v1")}
    assert (summary.elements_per_text, summary.share_shared, summary.share_rejected) == (1, 1, 0.5)
    assert summary.rejected == {"name": 5}
    assert "5 texts, 0 without elements; 1.0 elements a text" in str(summary)


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    killed = Parrot(dies_at=3)
    with pytest.raises(KeyboardInterrupt):
        collect(TEXTS, Asked(killed, tmp_path))
    second = Parrot()
    rows, _ = collect(TEXTS, Asked(second, tmp_path))
    assert second.asked == UNIQUE[3:]
    assert rows == collect(TEXTS, Asked(Parrot(), tmp_path / "other"))[0]
    third = Parrot(dies_at=0)
    assert collect(TEXTS, Asked(third, tmp_path))[0] == rows


def test_another_prompt_asks_again(tmp_path: Path) -> None:
    collect(TEXTS, Asked(Parrot(), tmp_path))
    other = Parrot("captions-v1")
    collect(TEXTS, Asked(other, tmp_path))
    assert other.asked == UNIQUE


def test_a_line_that_was_cut_off_is_ignored(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, "model")
    cache.add([("owl", "wing, beak"), ("dog", "tail")])
    whole = cache.path.read_text()
    cache.path.write_text(whole[:-10])
    again = AnswerCache(tmp_path, "model")
    assert (again.get("owl"), again.get("dog")) == ("wing, beak", None)
    again.add([("dog", "four legs")])
    last = AnswerCache(tmp_path, "model")
    assert (last.get("owl"), last.get("dog")) == ("wing, beak", "four legs")


def test_where_answers_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SHIELDCLIP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "shieldclip" / "knowledge"
    monkeypatch.setenv("SHIELDCLIP_CACHE", str(tmp_path / "mine"))
    assert default_cache() == tmp_path / "mine" / "knowledge"
