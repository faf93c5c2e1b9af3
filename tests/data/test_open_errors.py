"""Bad data: one line that names the item and the remedy."""

import os
import subprocess
import sys

import datasets
import pytest

from shieldclip.data import open_source
from shieldclip.errors import ShieldCLIPError

JSON = '{"image": "0.png", "label": "cat"}\n'

TABLES = {
    "csv-width": ("x.csv", "image,label\n0.png,cat\n1.png\n", r"2 fields .*line 3 .*got 1"),
    "csv-quote": ("x.csv", 'image,label\n"0.png"x,cat\n', r"line 2 of .*mend its quotes"),
    "csv-open-quote": ("x.csv", 'image,label\n"0.png,cat\n', r"line 2 of .*unexpected end"),
    "csv-twice": ("x.csv", "image,image\n0.png,cat\n", r"different column names"),
    "csv-no-image": ("x.csv", "kind,label\nx,cat\n", r"pictures .*kind, label; .*--image-column"),
    "csv-no-label": ("x.csv", "image,kind\n0.png,cat\n", r"labels or of captions .*image, kind"),
    "csv-empty": ("x.csv", "image,label\n", r"at least one row"),
    "csv-nothing": ("x.csv", "", r"at least one row"),
    "csv-blank-image": ("x.csv", "image,label\n,cat\n", r"x.csv, row 0, but the field is empty"),
    "csv-blank-label": ("x.csv", "image,label\n0.png,cat\n1.png,\n", r"label .*row 1 has none"),
    "csv-blank-caption": ("x.csv", "image,text\n0.png,a\n1.png,  \n", r"caption .*row 1 has"),
    "csv-url": ("x.csv", "image,text\nhttps://x.org/0.png,a\n", r"URL https.*img2dataset"),
    "csv-nameless": ("x.csv", "image,label\n0.png,0\n", r"class names .*'label'.*--classes"),
    "csv-base64": ("x.csv", 'image,text\n"data:image/png;base64,%",a\n', r"base64 in .*row 0"),
    "json-syntax": ("x.jsonl", JSON + "{'image'}\n", r"line 2 of .*at column 2"),
    "json-list": ("x.jsonl", "[1]\n", r"JSON object in line 1"),
    "json-caption": (
        "x.jsonl",
        '{"image": "a", "text": ["b"]}\n{"image": "a", "text": []}\n',
        r"caption .*row 1 has",
    ),
    "json-null-caption": (
        "x.jsonl",
        '{"image": "a", "text": ["b", null]}\n',
        r"caption .*row 0 has",
    ),
    "json-key": ("x.jsonl", JSON + '{"image": "1.png"}\n', r"label .*row 1 has none"),
    "json-base64": ("x.jsonl", '{"image": {"bytes": "%"}, "label": "a"}\n', r"base64 in .*row 0"),
    "json-mixed": ("x.jsonl", JSON + '{"image": "a", "label": 3}\n', r"mixed types: label"),
    "json-number": ("x.jsonl", '{"image": 3, "label": "a"}\n', r"column of pictures"),
    "suffix": ("x.xlsx", "", r"got 1 of .xlsx"),
    "broken-parquet": ("x.parquet", "PAR1", r"parquet in .*x.parquet, but it cannot be read"),
    "broken-tar": ("x.tar", "no tar" + "\0" * 2000, r"webdataset in .*x.tar, .* cannot be read"),
    "short-tar": ("x.tar", "no tar", r"x.tar breaks off"),
    "empty-tar": ("x.tar", "\0" * 10240, r"."),
}


def error_of(*args, **kwargs):
    with pytest.raises(ShieldCLIPError) as caught:
        open_source(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("case", TABLES)
def test_broken_files(tmp_path, case):
    name, content, message = TABLES[case]
    (tmp_path / name).write_text(content)
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        open_source(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_not_utf8(tmp_path):
    (tmp_path / "x.csv").write_bytes("image,text\n0.png,café\n".encode("latin-1"))
    assert "byte 20 is not; save it as UTF-8" in error_of(str(tmp_path / "x.csv"))


@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
@pytest.mark.parametrize("length", [0, 700, 1536, 2048, 2100])
def test_truncated_files(write, examples, tmp_path, kind, length):
    path = write[kind](tmp_path, examples)
    content = path.read_bytes()
    assert len(content) > length
    path.write_bytes(content[:length])
    assert path.name in error_of(str(path))


@pytest.mark.parametrize("spec", ["./none", "none/at/all", "/none", "none.parquet", "a/b.csv"])
def test_no_such_file(spec):
    assert "no such file or folder" in error_of(spec)


def test_no_such_name():
    assert "Did you mean 'icons-100'?" in error_of("icons-10")


def test_no_match(tmp_path):
    assert "none match" in error_of(f"{tmp_path}/*.parquet")


def test_mixed_kinds(write, examples, tmp_path):
    write["csv"](tmp_path, examples)
    write["tsv"](tmp_path, examples)
    assert "got 2 of .csv, .tsv" in error_of(f"{tmp_path}/data.*")


def test_splits_are_listed(write, examples, tmp_path):
    path = write["parquet"](tmp_path, examples)
    assert "among all, got 'test'; choose with --split" in error_of(str(path), split="test")
    for split in ("train", "validation"):
        (tmp_path / f"{split}.parquet").write_bytes(path.read_bytes())
    path.unlink()
    message = error_of(str(tmp_path), split="test")
    assert "among train, validation, got 'test'" in message


def test_wanted_columns_must_exist(write, examples, tmp_path):
    path = str(write["parquet"](tmp_path, examples))
    for role in ("image", "label", "caption"):
        message = error_of(path, **{f"{role}_column": "nope"})
        assert "'nope'" in message
        assert "image, label, caption" in message
        assert f"--{role}-column" in message


def test_wanted_columns_must_fit(write, examples, tmp_path):
    path = str(write["parquet"](tmp_path, examples))
    assert "one label a row" in error_of(path, label_column="image")
    assert "captions as strings" in error_of(path, caption_column="label")
    assert "pictures as bytes or paths" in error_of(path, image_column="label")


@pytest.fixture
def numbered(tmp_path):
    def make(*labels):
        columns = {"image": [b"x"] * len(labels), "label": list(labels)}
        datasets.Dataset.from_dict(columns).to_parquet(tmp_path / "x.parquet")
        (tmp_path / "classes.txt").write_text("ant\ncat\n")
        return {"source": str(tmp_path / "x.parquet"), "classes": str(tmp_path / "classes.txt")}

    return make


def test_class_list_shorter_than_the_labels(numbered):
    message = error_of(**numbered(0, 1, 2, 4))
    assert "row 2" in message
    assert "at least 5 names" in message


def test_hidden_labels(numbered):
    message = error_of(**numbered(0, -1))
    assert "row 1" in message
    assert "hidden labels" in message


def test_missing_numbers(numbered):
    assert "row 1 has none" in error_of(**numbered(0, None))


def test_label_outside_the_class_list(numbered):
    message = error_of(**numbered("cat", "ants"))
    assert "row 1" in message
    assert "'ants' (did you mean 'ant'?)" in message


def test_several_labels_a_row(numbered):
    assert "one label a row" in error_of(**numbered([0, 1], [1]), label_column="label")


def test_no_rows(tmp_path):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    empty = datasets.Dataset.from_dict({"image": [], "label": []}, features=features)
    empty.to_parquet(tmp_path / "x.parquet")
    assert "at least one row" in error_of(str(tmp_path / "x.parquet"))


def test_embedded_data_has_its_own_columns():
    assert "leave those options out" in error_of("icons-100", label_column="label")


def test_offline_hub_for_real(tmp_path):
    """The library reads this variable once, hence another process."""
    program = (
        "from shieldclip.data import open_source\n"
        "from shieldclip.errors import ShieldCLIPError\n"
        "try:\n    open_source('org/none')\n"
        "except ShieldCLIPError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert "HF_HUB_OFFLINE is set" in result.stdout
    assert "'org/none'" in result.stdout
    assert len(result.stdout.splitlines()) == 1
