"""The same data set, whatever the files."""

import base64
import glob
import json
import shutil
import tarfile

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shieldclip.data import open_source
from shieldclip.data.decode import decode
from shieldclip.data.image_rows import ImageRows

EMBEDDING = {"parquet", "jsonl-bytes", "webdataset"}


def label_column(path):
    return {"label_column": "label.txt"} if path.suffix == ".tar" else {}


def test_every_format_gives_the_same_rows(stored, examples):
    source = open_source(str(stored), **label_column(stored))
    assert [source.classes[label] for label in source.labels] == [e.label for e in examples]
    assert [tuple(texts) for texts in source.captions] == [e.captions for e in examples]
    wanted = [decode({"bytes": example.png}).tobytes() for example in examples]
    assert [picture for _, picture in ImageRows(source.rows, lambda i: i.tobytes())] == wanted
    assert (source.split, source.source) == ("all", str(stored))


def test_every_format_has_the_same_fingerprint(write, examples, tmp_path):
    fingerprints = set()
    for name, writer in write.items():
        (tmp_path / name).mkdir()
        path = writer(tmp_path / name, examples)
        fingerprints.add(open_source(str(path), **label_column(path)).fingerprint)
    assert len(fingerprints) == 1


@pytest.mark.parametrize("change", ["png", "label", "captions", "order", "missing"])
def test_fingerprint_sees_every_change(write, examples, tmp_path, make_png, change):
    first, *rest = examples
    changed = {
        "png": (first.__class__(make_png(9), first.label, first.captions), *rest),
        "label": (first.__class__(first.png, "dog", first.captions), *rest),
        "captions": (first.__class__(first.png, first.label, ("a cat",)), *rest),
        "order": (*rest, first),
        "missing": tuple(rest),
    }[change]
    before = open_source(str(write["csv"](tmp_path, examples))).fingerprint
    after = open_source(str(write["csv"](tmp_path, changed))).fingerprint
    assert before != after


def test_string_labels_become_classes_in_code_point_order(write, examples, tmp_path):
    source = open_source(str(write["csv"](tmp_path, examples)))
    assert source.classes == ("ant", "cat", "dog")
    assert source.labels == [1, 2, 1, 0]


def test_class_labels_keep_the_order_of_the_file(write, examples, tmp_path):
    source = open_source(str(write["parquet"](tmp_path, examples)))
    assert source.classes == ("dog", "cat", "ant")
    assert source.labels == [1, 0, 1, 2]


def test_a_changed_file_is_read_anew(stored, write, examples, request):
    options = label_column(stored)
    first = open_source(str(stored), **options)
    folder = stored.parent
    if stored.is_dir():
        shutil.rmtree(stored)
    name = next(n for n in write if f"[{n}]" in request.node.name)
    changed = write[name](folder, (*examples[1:], examples[0]))
    assert changed == stored
    second = open_source(str(stored), **options)
    assert [tuple(texts) for texts in second.captions] == [
        e.captions for e in (*examples[1:], examples[0])
    ]
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
def test_a_folder_has_the_splits_of_its_file_names(write, examples, tmp_path, kind):
    folder = tmp_path / "set"
    folder.mkdir()
    for split, rows in (("train", examples[:1]), ("test", examples[1:])):
        path = write[kind](tmp_path, rows)
        path.rename(folder / f"{split}-00000-of-00001{path.suffix}")
    assert len(open_source(str(folder)).rows) == 3
    assert open_source(str(folder)).split == "test"
    train = open_source(str(folder), split="train")
    assert (len(train.rows), train.split, train.name) == (1, "train", "set")


@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
def test_a_glob_reads_its_files_in_order(write, examples, tmp_path, kind):
    folder = tmp_path / "odd [name]"
    folder.mkdir()
    for number, example in enumerate(examples):
        path = write[kind](tmp_path, (example,))
        path.rename(folder / f"{number}{path.suffix}")
    options = label_column(path)
    source = open_source(f"{glob.escape(str(folder))}/*{path.suffix}", **options)
    assert [tuple(texts) for texts in source.captions] == [e.captions for e in examples]
    alone = open_source(str(folder / f"1{path.suffix}"), **options)
    assert [tuple(texts) for texts in alone.captions] == [examples[1].captions]


def test_webdataset_numbers_with_a_class_list(examples, tmp_path):
    (tmp_path / "classes.txt").write_text("ant\ncat\ndog\n")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for number, example in enumerate(examples):
            for suffix, content in (("png", example.png), ("cls", str(number % 3).encode())):
                (tmp_path / "part").write_bytes(content)
                archive.add(tmp_path / "part", f"{number}.{suffix}")
    source = open_source(str(tmp_path / "x.tar"), classes=str(tmp_path / "classes.txt"))
    assert source.classes == ("ant", "cat", "dog")
    assert source.labels == [0, 1, 2, 0]


def test_parquet_with_paths_or_plain_bytes(examples, tmp_path):
    for number, example in enumerate(examples):
        (tmp_path / f"{number}.png").write_bytes(example.png)
    labels = [example.label for example in examples]
    paths = {"path": [f"{n}.png" for n in range(4)], "label": labels}
    content = {"jpg": [example.png for example in examples], "label": labels}
    fingerprints = set()
    for name, columns in (("paths", paths), ("bytes", content)):
        datasets.Dataset.from_dict(columns).to_parquet(tmp_path / f"{name}.parquet")
        fingerprints.add(open_source(str(tmp_path / f"{name}.parquet")).fingerprint)
    assert len(fingerprints) == 1


def test_data_uris_in_csv(examples, tmp_path):
    uri = "data:image/png;base64," + base64.b64encode(examples[0].png).decode()
    (tmp_path / "x.csv").write_text(f'image,label\n"{uri}",cat\n')
    source = open_source(str(tmp_path / "x.csv"))
    assert source.rows[0]["image"]["bytes"] == examples[0].png


def test_several_captions_a_picture(examples, tmp_path):
    (tmp_path / "0.png").write_bytes(examples[0].png)
    records = [{"image": "0.png", "captions": ["a", "b"]}, {"image": "0.png", "captions": ["c"]}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, records)))
    source = open_source(str(tmp_path / "x.jsonl"))
    assert source.captions == [["a", "b"], ["c"]]
    assert source.labels == []


def test_named_columns_win_over_usual_names(examples, tmp_path):
    (tmp_path / "0.png").write_bytes(examples[0].png)
    (tmp_path / "x.csv").write_text("image,label,kind,alt,title\nno,x,cat,0.png,a cat\n")
    source = open_source(
        str(tmp_path / "x.csv"), image_column="alt", label_column="kind", caption_column="label"
    )
    assert source.classes == ("cat",)
    assert source.captions == [["x"]]
    assert source.rows[0]["image"]["path"].endswith("0.png")


def test_a_path_wins_over_a_hub_id(write, examples, tmp_path, monkeypatch):
    (tmp_path / "org" / "name").mkdir(parents=True)
    write["parquet"](tmp_path / "org" / "name", examples)
    monkeypatch.chdir(tmp_path)
    assert open_source("org/name").path == "org/name"


def test_numbers_guessed_as_labels_are_left_out_when_there_are_captions(tmp_path):
    (tmp_path / "x.csv").write_text("image,category,title\n0.png,18,a dog\n")
    source = open_source(str(tmp_path / "x.csv"))
    assert (source.labels, source.classes, source.captions) == ([], (), [["a dog"]])


def test_zeros_in_front_keep_a_label_a_name(tmp_path):
    (tmp_path / "x.csv").write_text("image,label\n0.png,007\n0.png,012\n")
    assert open_source(str(tmp_path / "x.csv")).classes == ("007", "012")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() != ""
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(st.binary(min_size=1), TEXT, TEXT), min_size=1, max_size=6))
def test_any_text_survives_csv_and_json_lines(rows, write, examples, tmp_path):
    data = tuple(examples[0].__class__(png, f"c{label}", (text,)) for png, label, text in rows)
    sources = [open_source(str(write[kind](tmp_path, data))) for kind in ("csv", "jsonl-bytes")]
    for source in sources:
        assert [source.classes[label] for label in source.labels] == [e.label for e in data]
        assert list(source.classes) == sorted({e.label for e in data})
    assert sources[0].fingerprint == sources[1].fingerprint


def test_templates_come_by_name(write, examples, tmp_path):
    path = str(write["csv"](tmp_path, examples))
    assert open_source(path).templates == ("a photo of a {}.",)
    assert len(open_source(path, templates="imagenet-80").templates) == 80
