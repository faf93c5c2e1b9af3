"""``shieldclip knowledge`` from a data set to a file that training reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from shieldclip.cli.knowledge import knowledge
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import load_knowledge, read_rows


@pytest.fixture
def captioned(tmp_path: Path) -> str:
    """Three pictures and a CSV of captions, two of them alike."""
    for number in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    lines = ["image,caption", "0.png,a hot dog", "1.png,a dog on a bus", "2.png,a hot dog"]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "data.csv")


@pytest.fixture
def classes(tmp_path: Path) -> str:
    """A folder a class."""
    for name in ("dog", "school bus"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "classes" / name / "0.png")
    return str(tmp_path / "classes")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Knowledge that someone wrote; one phrase breaks the rules."""
    path = tmp_path / "mine.json"
    path.write_text('{"dog": ["Four  legs", "a dog"], "bus": ["wheel"], "hot dog": ["bread"]}')
    return str(path)


def run(*arguments: str) -> str:
    return CliRunner().invoke(knowledge, list(arguments), catch_exceptions=False).output


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "json"])
def test_captions_are_unique(captioned: str, file: str, tmp_path: Path, ending: str) -> None:
    out = str(tmp_path / f"out.{ending}")
    output = run(captioned, "--from", "file", "--model", file, "--out", out)
    rows = read_rows(Path(out))
    assert [(row.text, row.elements) for row in rows] == [
        ("a hot dog", ("bread",)),
        ("a dog on a bus", ("four legs", "wheel")),
    ]
    assert "2 texts, 0 without elements; 1.5 elements a text" in output
    assert "25% of phrases rejected (name 1)" in output
    assert load_knowledge(out).of_caption("a hot dog") == ("bread",)


def test_class_names_go_before_captions(classes: str, file: str, tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    run(classes, "--from", "file", "--model", file, "--out", out)
    rows = {row.text: row.elements for row in read_rows(Path(out))}
    assert rows == {"dog": ("four legs",), "school bus": ("wheel",)}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--from", "files", "--out", "k.jsonl"], "Did you mean 'file'"),
        (["--from", "file", "--out", "k.csv"], ".parquet, .jsonl, .json"),
        (["--from", "file", "--model", "none.json", "--out", "k.jsonl"], "none.json"),
        (["--from", "lm", "--out", "k.jsonl"], "--model"),
    ],
)
def test_what_is_wrong_is_one_line(captioned: str, more: list[str], message: str) -> None:
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        run(captioned, *more)
    assert "\n" not in str(caught.value)
