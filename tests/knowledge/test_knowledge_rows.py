"""Knowledge files: what is written is read back; what is no knowledge is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import KnowledgeRow, read_rows, write_rows

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
ROWS = st.lists(
    st.builds(
        KnowledgeRow,
        text=TEXT,
        elements=st.lists(TEXT, max_size=3).map(tuple),
        source=TEXT,
        prompt_version=st.just("") | TEXT,
    ),
    max_size=4,
)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".json"])
@settings(deadline=None)
@given(rows=ROWS)
def test_round_trip(tmp_path_factory, ending, rows):
    path = tmp_path_factory.mktemp("rows") / f"k{ending}"
    write_rows(rows, path)
    assert read_rows(path) == rows
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_mapping_is_the_shortest_file(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"owl": ["wing"]}')
    assert read_rows(tmp_path / "mine.json") == [KnowledgeRow("owl", ("wing",), "file:mine.json")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("k.jsonl", '{"text": "owl"}', "row 1"),
        ("k.jsonl", '{"text": "owl", "elements": "wing"}', "row 1"),
        ("k.jsonl", '{"text": "owl", "elements": ["wing"]}\n{"text": 3, "elements": []}', "row 2"),
        ("k.jsonl", '"owl"', "row 1"),
        ("k.jsonl", "{", "write it again"),
        ("k.json", "3", "not a list or mapping"),
        ("k.parquet", "no parquet", "write it again"),
        ("k.csv", "", ".parquet, .jsonl, .json"),
    ],
)
def test_what_is_no_knowledge_is_one_line(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ShieldCLIPError, match="shieldclip knowledge"):
        read_rows(tmp_path / "k.jsonl")


def test_json_lines_have_the_four_columns(tmp_path: Path) -> None:
    write_rows([KnowledgeRow("owl", ("wing",), "wordnet", "v1")], tmp_path / "k.jsonl")
    row = json.loads((tmp_path / "k.jsonl").read_text())
    assert row == {
        "text": "owl",
        "elements": ["wing"],
        "source": "wordnet",
        "prompt_version": "v1",
    }
