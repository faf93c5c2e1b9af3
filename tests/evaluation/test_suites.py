"""Suites are strict, and every shipped one runs on a stand-in with the columns it names."""

from __future__ import annotations

import datasets
import numpy as np
import pytest
from toy_parts import ToyEncoder, png

from shieldclip.data import open_source
from shieldclip.data.prompts import imagenet_classes
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation import run
from shieldclip.evaluation.request import EvalRequest, tailor
from shieldclip.evaluation.suite import DataSpec, find_suite, load_suite, shipped_suites
from shieldclip.evaluation.yields import figure_name, figures_of

SHIPPED = ["otcclip", "quick", "semantic-shield", "standard", "text"]
THINGS = ("banana", "boat", "dog", "train", "zebra", "apple", "car")


def write(folder, text):
    path = folder / "suite.yaml"
    path.write_text(text)
    return path


GOOD = "name: n\ndescription: d\nentries:\n  - data: icons-100\n    protocols: [zero-shot]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "    trigers: [badnet]\n", "'trigers'.*Did you mean 'triggers'"),
        (GOOD + "entrys: []\n", "'entrys'.*Did you mean 'entries'"),
        (GOOD.replace("icons-100", "{sorce: x}"), "'sorce'.*Did you mean 'source'"),
        (GOOD.replace("zero-shot", "zeroshot"), r"entries\.0\.protocols\.0.*zero-shot"),
        ("name: n\ndescription: d\nentries: []\n", "at least one entry"),
        ("name: [", "in YAML"),
        ("- just\n- a list\n", "at the top level"),
    ],
)
def test_a_bad_suite_is_one_line_that_names_the_place(tmp_path, text, message):
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        load_suite(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_suite_file_of_ones_own_is_found_by_its_path(tmp_path):
    path = write(tmp_path, GOOD)
    assert load_suite(find_suite(str(path))).entries[0].data == DataSpec(source="icons-100")


def test_all_suites_are_shipped():
    assert sorted(shipped_suites()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_suites_say_what_they_cost(name):
    path = find_suite(name)
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any(line.startswith("# Time:") for line in header)
    assert load_suite(path).name == name


def test_a_request_replaces_data_target_and_triggers():
    request = EvalRequest(
        models=(),
        data={"source": "photos"},
        target="all",
        triggers=("sig", "text-sudo"),
    )
    (entry,) = tailor(load_suite(find_suite("quick")), request).entries
    assert entry.data == DataSpec(source="photos")
    assert (entry.target, entry.triggers, entry.text_triggers) == ("all", ("sig",), ("text-sudo",))
    assert entry.protocols == ("zero-shot", "text-captions", "text-prompts")


def test_new_data_makes_one_entry_of_those_that_asked_the_same():
    request = EvalRequest(models=(), data={"source": "photos"}, target="dog", triggers=("sig",))
    tailored = tailor(load_suite(find_suite("otcclip")), request)
    assert len(tailored.entries) == 1
    assert tailored.entries[0].train is None


def test_a_column_alone_changes_only_that():
    request = EvalRequest(models=(), data={"split": "validation"})
    (entry,) = tailor(load_suite(find_suite("quick")), request).entries
    assert entry.data == DataSpec(source="icons-100", split="validation")


def stand_in(spec: DataSpec, folder) -> str:
    """A parquet file with the columns that ``spec`` names, and its kinds of values."""
    rng = np.random.default_rng(0)
    n = 42
    pictures = [png(rng.integers(256, size=(24, 20, 3), dtype=np.uint8)) for _ in range(n)]
    columns = {spec.image_column or "image": [{"bytes": data, "path": None} for data in pictures]}
    features = {spec.image_column or "image": datasets.Image(decode=False)}
    own = spec.source.startswith("icons")
    if spec.label_column or own:
        names = imagenet_classes() if spec.classes == "imagenet" else THINGS
        labels = [names.index("banana"), *range(6)]
        name = spec.label_column or "label"
        columns[name] = [labels[row % len(labels)] for row in range(n)]
        kind = datasets.Value("int64") if spec.classes else datasets.ClassLabel(names=list(names))
        features[name] = kind
    if spec.caption_column or own:
        name = spec.caption_column or "captions"
        columns[name] = [[f"a {THINGS[row % 7]}", f"the {row}"] for row in range(n)]
        features[name] = datasets.List(datasets.Value("string"))
    path = folder / f"{spec.source.replace('/', '-')}.parquet"
    datasets.Dataset.from_dict(columns, features=datasets.Features(features)).to_parquet(path)
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_protocol_of_a_shipped_suite_runs_on_its_columns(name, tmp_path, monkeypatch):
    def open_stand_in(**options):
        path = stand_in(DataSpec(**options), tmp_path)
        return open_source(**{**options, "source": path, "split": None})

    monkeypatch.setattr(run, "open_source", open_stand_in)
    monkeypatch.setattr(run, "load_encoder", lambda spec, **_: ToyEncoder(spec))
    report = run.evaluate(EvalRequest(("toy",), name, batch_size=64))
    suite = load_suite(find_suite(name))
    assert not any("was left out" in note for note in report.notes)
    assert len({m.data for m in report.measurements}) >= len(suite.entries)
    triggers = {m.trigger for m in report.measurements if m.trigger}
    assert triggers == {t for e in suite.entries for t in (*e.triggers, *e.text_triggers)}
    expected = {
        "zero-shot": "ca@1",
        "retrieval": "r@1_i2t",
        "linear-probe": "probe",
        "text-captions": "hit@1",
        "text-prompts": "hit@1",
    }
    for protocol in {protocol for entry in suite.entries for protocol in entry.protocols}:
        entries = [entry for entry in suite.entries if protocol in entry.protocols]
        assert len(report.select(expected[protocol])) >= len(entries)
    names = {figure_name(m.metric, m.trigger) for m in report.measurements}
    assert names == figures_of(suite)
    for pair in {pair for entry in suite.entries for pair in entry.pairs}:
        assert report.select("hit@10_random", target=" -> ".join(pair))
