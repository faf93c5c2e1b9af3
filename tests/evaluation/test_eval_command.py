"""``shieldclip eval``: exit codes, forms of output, errors in one line."""

from __future__ import annotations

import json
import sys

import pytest
from toy_parts import Corner, ToyEncoder, toy_source

from shieldclip.cli import main
from shieldclip.evaluation import plan, run


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    models = {"plain": ToyEncoder("plain"), "bad": ToyEncoder("bad", target="a photo of a banana.")}
    monkeypatch.setattr(run, "load_encoder", lambda spec, **_: models[spec])
    monkeypatch.setattr(run, "open_source", lambda **_: toy_source(n=200))
    monkeypatch.setattr(plan, "make_trigger", lambda name, **_: Corner(name))


def shieldclip(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["shieldclip", "eval", "--batch-size", "64", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    code = caught.value.code
    assert code is None or isinstance(code, int)
    return code or 0


def test_prints_a_table_and_the_verdict(monkeypatch, capsys):
    assert shieldclip(monkeypatch, "--model", "plain", "--model", "bad") == 0
    printed = capsys.readouterr().out
    assert "banana" in printed and "bad" in printed and "corner" not in printed


def test_json_on_standard_output_is_the_report_and_nothing_else(monkeypatch, capsys):
    assert shieldclip(monkeypatch, "--model", "bad", "--trigger", "corner", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "shieldclip.eval/1"
    assert {m["trigger"] for m in record["measurements"]} == {None, "corner"}


def test_markdown(monkeypatch, capsys):
    assert shieldclip(monkeypatch, "--model", "bad", "--markdown") == 0
    assert capsys.readouterr().out.startswith("# ")


def test_out_gets_the_report_in_three_forms(monkeypatch, tmp_path):
    out = tmp_path / "a" / "b"
    assert shieldclip(monkeypatch, "--model", "bad", "--out", str(out)) == 0
    assert {path.name for path in out.glob("report.*")} == {
        "report.json",
        "report.md",
        "report.html",
    }


@pytest.mark.parametrize(("model", "code"), [("bad", 1), ("plain", 0)])
def test_fail_above_is_exit_code_one(monkeypatch, model, code):
    assert shieldclip(monkeypatch, "--model", model, "--fail-above", "0.5") == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "bananna"], "Did you mean 'banana'"),
        (["--suite", "quickk"], "Did you mean 'quick'"),
        (["--manifest", "absent.jsonl"], "absent.jsonl"),
        (["--out", "/proc/none/out"], "--out"),
    ],
)
def test_what_the_user_got_wrong_is_one_line_and_exit_code_two(
    monkeypatch, capsys, arguments, message
):
    assert shieldclip(monkeypatch, "--model", "plain", *arguments) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("Error: ") and printed.err.count("\n") == 1
    assert printed.out == ""


def test_an_interrupted_run_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ToyEncoder, "encode_image", interrupt)
    assert shieldclip(monkeypatch, "--model", "plain", "--out", str(tmp_path)) == 130
    assert f"kept in {tmp_path}" in capsys.readouterr().err


def test_help_lists_every_command_without_importing_it(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["shieldclip", "--help"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("eval", "models", "poison", "triggers"))
