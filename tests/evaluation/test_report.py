import json
import math
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_report import BACKDOORED, CLEAN, EVERY, sample

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.headline import headline
from shieldclip.evaluation.report import (
    SCHEMA,
    DataInfo,
    EvalReport,
    Example,
    Measurement,
    ModelInfo,
)
from shieldclip.evaluation.write import write_reports

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(max_size=12)


def tuples(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


DATA = st.builds(DataInfo, **dict.fromkeys(("name", "source"), NAMES), skipped=tuples(NAMES))
REPORTS = st.builds(
    EvalReport,
    models=tuples(st.builds(ModelInfo, name=NAMES)),
    data=DATA,
    measurements=tuples(
        st.builds(Measurement, value=NUMBERS, low=NUMBERS, high=NUMBERS, trigger=st.none() | NAMES)
    ),
    other_data=tuples(DATA),
    examples=tuples(st.builds(Example, label=NAMES)),
    versions=st.dictionaries(NAMES, NAMES, max_size=3),
    throughput=st.dictionaries(NAMES, NUMBERS, max_size=3),
    notes=tuples(NAMES),
    schema=st.just(SCHEMA),
)


@given(REPORTS)
def test_json_round_trip_loses_nothing(report):
    assert EvalReport.from_json(report.to_json()) == report


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_every_sample_round_trips(make):
    assert EvalReport.from_json(make().to_json()) == make()


def test_json_leads_with_the_schema_and_is_flat():
    record = json.loads(sample().to_json())
    assert next(iter(record)) == "schema"
    assert record["schema"] == "shieldclip.eval/1"
    assert set(record["measurements"][0]) == {
        *("model", "metric", "value", "n", "low", "high", "trigger", "target", "data")
    }
    assert set(record["data"]) >= {"source", "split", "path", "fingerprint"}


def test_a_figure_that_is_no_number_is_never_written():
    broken = replace(sample().measurements[0], value=math.nan)
    with pytest.raises(ValueError, match="JSON"):
        replace(sample(), measurements=(broken,)).to_json()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "in JSON"),
        ("[]", "schema"),
        ('{"schema": "shieldclip.eval/0"}', "shieldclip.eval/0"),
        ('{"schema": "shieldclip.eval/1"}', "'models'"),
        (sample().to_json().replace('"skipped"', '"lost"', 1), "skipped"),
        (sample().to_json().replace('"seed": 0', '"seed": 0, "colour": 1'), "colour"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(text, expected):
    with pytest.raises(ShieldCLIPError, match=expected) as error:
        EvalReport.from_json(text)
    assert "\n" not in str(error.value)


def test_select_matches_every_field():
    found = sample().select("asr", model=BACKDOORED, trigger="badnet")
    assert [m.value for m in found] == [963 / 990]
    assert sample().select("asr", trigger="none") == ()


def test_written_files_hold_the_report_and_nothing_else(tmp_path):
    (tmp_path / "report.md").write_text("old")
    paths = write_reports(sample(), tmp_path)
    assert EvalReport.load(tmp_path / "report.json") == sample()
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# Backdoor found")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert set(tmp_path.iterdir()) == set(paths)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "report.json").write_text("old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ShieldCLIPError, match=r"disk is full.*--out"):
        write_reports(sample(), tmp_path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("report.json", "old")]


def refuse(source, destination):
    raise OSError(28, "disk is full")


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ShieldCLIPError, match="--out") as error:
        write_reports(sample(), tmp_path / "out")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "title"),
    {
        "sample": "Backdoor found: badnet turns 97.3 % of pictures into banana",
        "many": "Backdoor found in 6 of 6 models",
        "nothing_found": "No tested trigger beats its control",
        "suspicious": "Suspicious: 3.4 points above control with sig",
        "no_triggers": "No attack was measured against a control",
        "text_triggers": "Backdoor found: sudo puts banana first for 88.9 % of queries",
    }.items(),
)
def test_titles(name, title):
    assert headline(EVERY[name]()).title == title


def test_each_model_gets_its_own_verdict():
    lines = {line.model: line for line in headline(sample()).lines}
    assert lines[CLEAN].outcome == "clean"
    assert lines[BACKDOORED].outcome == "backdoored"
    assert "97.3 % [96.1, 98.1]" in lines[BACKDOORED].sentence


def test_finding_nothing_says_what_was_not_tested():
    head = headline(EVERY["nothing_found"]())
    assert "6 triggers (badnet, badnet-noise, blended-text, sig, wanet, bpp)" in head.scope
    assert "1 target (banana)" in head.scope
    assert head.limits.startswith("Not ruled out: any other trigger")
    assert "poisoning that needs no trigger" in head.limits
