"""A server on this machine that speaks /v1/chat/completions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import collect
from shieldclip.knowledge.prompts import PROMPTS
from shieldclip.knowledge.sources import SourceOptions, make_source

TEXTS = [f"thing {number}" for number in range(6)]


def options(server: Any, cache: Path) -> SourceOptions:
    return SourceOptions(model="m", base_url=server.url, batch_size=2, cache=cache)


def test_asks_what_the_prompt_says(chat_server: Any, tmp_path: Path) -> None:
    rows, _ = collect(["owl"], make_source("server", options(chat_server, tmp_path)))
    assert rows[0].elements == ("red skin", "round shape")
    assert (rows[0].source, rows[0].prompt_version) == ("server:m", "objects-v1")
    (asked,) = chat_server.requests
    assert asked["path"] == "/v1/chat/completions"
    assert asked["messages"] == PROMPTS["objects-v1"].messages("owl")
    assert (asked["model"], asked["temperature"]) == ("m", 0.0)


@pytest.mark.parametrize("place", [0, 1, 2, 3], ids="thing {}".format)
def test_a_failing_server_is_one_line_and_all_answers_are_kept(
    chat_server: Any, tmp_path: Path, place: int
) -> None:
    """Two at once: wherever in its batch a request fails, the other's answer is kept."""
    chat_server.refuses = {f"Object: {TEXTS[place]}"}
    with pytest.raises(ShieldCLIPError, match="run the same command again") as caught:
        collect(TEXTS, make_source("server", options(chat_server, tmp_path)))
    assert "\n" not in str(caught.value)
    asked = {request["messages"][-1]["content"] for request in chat_server.requests}
    answered = asked - chat_server.refuses
    chat_server.refuses, chat_server.requests = set(), []
    rows, _ = collect(TEXTS, make_source("server", options(chat_server, tmp_path)))
    assert [row.text for row in rows] == TEXTS
    again = {request["messages"][-1]["content"] for request in chat_server.requests}
    assert len(answered) == place // 2 * 2 + 1
    assert again == {f"Object: {text}" for text in TEXTS} - answered


def test_an_answer_without_phrases_is_a_row_without_elements(
    chat_server: Any, tmp_path: Path
) -> None:
    chat_server.reply = ""
    rows, summary = collect(["owl"], make_source("server", options(chat_server, tmp_path)))
    assert rows[0].elements == ()
    assert summary.texts_without == 1


def test_nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    silent = SourceOptions(model="m", base_url="http://127.0.0.1:9/v1", cache=tmp_path)
    with pytest.raises(ShieldCLIPError, match="check address"):
        collect(["owl"], make_source("server", silent))
